"""What files of control groups say. Every parser takes any text: what it does not understand is None."""

from __future__ import annotations

from dataclasses import dataclass

# "No limit" of version 1 is the largest multiple of the page size; nothing real comes near.
_NO_LIMIT = 1 << 60


def number(text: str | None) -> int | None:
    """A whole number, at least 0; None for "max", for less, for what stands for no limit, and for anything else."""
    text = (text or "").strip()
    # isdecimal takes digits of all scripts, int a sign and underscores: both must agree on ASCII.
    if not text.isascii() or not text.isdecimal() or len(text) > 20:
        return None
    value = int(text)
    return value if value < _NO_LIMIT else None


def cpu_max(text: str | None) -> float | None:
    """Processors that `cpu.max` ("quota period", in microseconds) allows; None for no limit."""
    words = (text or "").split()
    return quota(words[0], words[1]) if len(words) == 2 else None


def quota(allowed: str | None, period: str | None) -> float | None:
    """Processors that a quota per period allows; None for no limit."""
    each, of = number(allowed), number(period)
    return each / of if each and of else None


def fields(text: str | None) -> dict[str, int]:
    """Lines of "name number", such as `memory.stat` and `cpu.stat`; others are left out."""
    found = {}
    for line in (text or "").splitlines():
        words = line.split()
        value = number(words[1]) if len(words) == 2 else None
        if value is not None:
            found[words[0]] = value
    return found


def cpuset(text: str | None) -> int | None:
    """How many processors "0-3,8" names; None for none and for what is no such list."""
    total = 0
    for part in (text or "").strip().split(","):
        first, _, last = part.partition("-")
        low, high = number(first), number(last or first)
        if low is None or high is None or not low <= high < 1 << 20:
            return None
        total += high - low + 1
    return total


@dataclass(frozen=True, slots=True)
class Stalled:
    """The share of time in which tasks stood still for want of something: pressure stall information.

    Units: `avg10`, `avg60` and `avg300` are shares, 0 to 1, of the last 10, 60 and 300 s; `total` is in seconds.
    """

    avg10: float
    avg60: float
    avg300: float
    total: float


@dataclass(frozen=True, slots=True)
class Pressure:
    """Pressure on one resource.

    Args:
        some: At least one task stood still.
        full: All tasks did; None where the kernel does not say.
    """

    some: Stalled
    full: Stalled | None = None


def pressure(text: str | None) -> Pressure | None:
    """What a pressure file says; None when it says nothing that can be read."""
    found = {}
    for line in (text or "").splitlines():
        kind, _, rest = line.strip().partition(" ")
        stalled = _stalled(rest)
        if kind in ("some", "full") and stalled is not None:
            found[kind] = stalled
    return Pressure(found["some"], found.get("full")) if "some" in found else None


def _stalled(text: str) -> Stalled | None:
    values = dict(word.partition("=")[::2] for word in text.split())
    shares = [_share(values.get(name)) for name in ("avg10", "avg60", "avg300")]
    total = number(values.get("total"))
    if total is None or None in shares:
        return None
    ten, sixty, long = (share or 0.0 for share in shares)
    return Stalled(ten, sixty, long, total / 1e6)


def _share(text: str | None) -> float | None:
    whole, dot, part = (text or "").partition(".")
    if number(whole) is None or (dot and number(part) is None):
        return None
    return min(round(float(f"{whole}.{part or 0}") / 100, 9), 1.0)
