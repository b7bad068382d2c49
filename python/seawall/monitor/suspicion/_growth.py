"""Leaks: what grows without an end, with the evidence."""

from __future__ import annotations

import gc
import math
import sys
import tracemalloc
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from seawall.clock import Clock, SystemClock
from seawall.monitor.suspicion._trend import Trend, trend
from seawall.patterns import Options, Signal, option

Read = Callable[[], float | None]


class GrowthOptions(Options):
    """When growth is suspected to be a leak."""

    window: float | timedelta = option(
        default=1800.0, unit="s", least=1, most=86_400 * 31, help="the stretch that is looked at"
    )
    blocks: int = option(
        default=20, least=12, most=500, help="parts of the window; the least value of each stands for it"
    )
    least_growth: float = option(default=0.0, least=0, help="over the window, in units of the reading; less is no leak")
    least_share: float = option(
        default=0.05, least=0, most=100, help="over the window, as a share of what it was; less is no leak"
    )
    p: float = option(
        default=0.001, above=0, most=0.5, help="the chance of a suspicion that is wrong, each look by itself"
    )


class Leak(NamedTuple):
    """Something grows without an end, as far as can be seen.

    Attributes:
        name: What.
        at: When it was found, in seconds of the clock.
        began: What it was at the beginning of the window.
        now: What it is, both after the waves are taken off.
        trend: How it goes.
        evidence: What may have grown, for people.
    """

    name: str
    at: float
    began: float
    now: float
    trend: Trend
    evidence: str

    def __str__(self) -> str:
        hourly, low, high = (each * 3600 for each in (self.trend.slope, self.trend.low, self.trend.high))
        head = (
            f"{self.name} grows by {hourly:,.4g} an hour (99 % sure: {low:,.4g} to {high:,.4g}), "
            f"from {self.began:,.4g} to {self.now:,.4g}"
        )
        return f"{head}\n{self.evidence}" if self.evidence else head


def leaks(times: Sequence[float], values: Sequence[float], options: GrowthOptions) -> tuple[Trend, float, float] | None:
    """The trend of a series that grows without an end, and its first and last level; None where it does not. Pure.

    What is looked at are the least values of blocks, so that waves no longer than a block, such as garbage that is
    collected now and then, play no part. A series that has stopped growing, as a cache that has filled, is no leak:
    the last third must grow like the rest. That costs: a leak slower than its noise is found late, or not at all.
    """
    span = times[-1] - times[0] if len(times) else 0.0
    if len(values) < 2 * options.blocks or span <= 0:
        return None
    t, low = _floors(times, values, options.blocks)
    if len(low) < options.blocks * 3 // 4 or len(low) < 9:
        return None
    whole = trend(t, low)
    began, now = sum(low[:3]) / 3, sum(low[-3:]) / 3
    least = max(options.least_growth, options.least_share * abs(began))
    if whole.p > options.p or whole.slope <= 0 or whole.low <= 0 or now - began <= least:
        return None
    third = len(low) * 2 // 3
    late = (sum(low[-2:]) / 2 - sum(low[third : third + 2]) / 2) / (t[-1] + t[-2] - t[third] - t[third + 1]) * 2
    return (whole, began, now) if late > whole.slope / 3 else None


def _floors(times: Sequence[float], values: Sequence[float], blocks: int) -> tuple[list[float], list[float]]:
    """Of each block of equal length that has values: the middle of its time, and its least value."""
    first, length = times[0], (times[-1] - times[0]) / blocks
    lowest: dict[int, float] = {}
    for at, value in zip(times, values, strict=True):
        block = min(blocks - 1, int((at - first) / length))
        lowest[block] = min(value, lowest.get(block, value))
    return [first + (block + 0.5) * length for block in lowest], list(lowest.values())


class GrowthWatch:
    """Takes readings of what must not grow without an end, and tells when something does, with the evidence.

    The evidence, since the first look: the types of which there are most objects more, and where tracemalloc is on the
    lines that hold most bytes more. Both are taken at the first look and when something is suspected, never in between.

    Thread safety: one look at a time.
    Cost: a reading a look, and 0.4 ms for each reading when a block is over; the evidence stops the process for a
    moment, about 0.3 s for a million objects.

    Args:
        readings: Functions by name, such as those of `process_readings()`.
        window: Seconds.
        blocks: Parts of the window; waves shorter than a part play no role.
        least_growth: Over the window, in units of the reading.
        least_share: Over the window, as a share of the level at its beginning.
        p: The chance of a suspicion that is wrong, of each look by itself.
        evidence: Whether to count objects.
        clock: Where time comes from.
    """

    def __init__(
        self,
        readings: dict[str, Read],
        *,
        window: float | timedelta = 1800.0,
        blocks: int = 20,
        least_growth: float = 0.0,
        least_share: float = 0.05,
        p: float = 0.001,
        evidence: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self.options = GrowthOptions(
            window=window, blocks=blocks, least_growth=least_growth, least_share=least_share, p=p
        )
        self.told: Signal[Leak] = Signal("suspicion.leak", Leak)
        self.suspected: dict[str, Leak] = {}
        self.failures = 0
        self._window = float(self.options.window)  # type: ignore[arg-type]  # kept as seconds
        self._readings, self._evidence = dict(readings), evidence
        self._clock = clock or SystemClock()
        # Sixteen values a block are enough for its least one; the bound holds however often anybody looks.
        self._step = self._window / (self.options.blocks * 16)
        self._kept: dict[str, deque[tuple[float, float]]] = {name: deque() for name in self._readings}
        self._pending: dict[str, tuple[float, float]] = {}
        self._judged = float("-inf")
        self._first: Inventory | None = None

    def look(self) -> tuple[Leak, ...]:
        """Take the readings; once a block is over, judge. What is told is told once while it lasts."""
        now = self._clock.now_ns() / 1e9
        if self._first is None and self._evidence:
            self._first = Inventory.take()
        for name, read in self._readings.items():
            self._take(name, now, read)
        if now - self._judged < self._window / self.options.blocks:
            return ()
        self._judged = now
        found = [leak for name in self._readings if (leak := self._judge(name, now)) is not None]
        for leak in found:
            self.told.send(leak)
        return tuple(found)

    def _take(self, name: str, now: float, read: Read) -> None:
        try:
            value = read()
        except Exception:  # noqa: BLE001 - one reading must not keep the others from being taken
            self.failures += 1
            return
        kept = self._kept[name]
        if value is None or math.isnan(value):
            return
        if kept and now - kept[-1][0] < self._step:
            kept[-1] = (kept[-1][0], min(kept[-1][1], float(value)))
        else:
            kept.append((now, float(value)))
        while kept and kept[0][0] < now - self._window:
            kept.popleft()

    def _judge(self, name: str, now: float) -> Leak | None:
        kept = self._kept[name]
        # A window that is not full yet shows the growth of a start.
        full = bool(kept) and kept[-1][0] - kept[0][0] >= self._window * (1 - 2 / self.options.blocks)
        found = leaks([at for at, _ in kept], [value for _, value in kept], self.options) if full else None
        if found is None:
            self.suspected.pop(name, None)
            return None
        known = self.suspected.get(name)
        evidence = known.evidence if known else self._first.growth() if self._first else ""
        leak = Leak(name, now, found[1], found[2], found[0], evidence)
        self.suspected[name] = leak
        return None if known else leak


class Inventory(NamedTuple):
    """How many objects there are of each type, and what tracemalloc knows."""

    types: Counter[str]
    blocks: tracemalloc.Snapshot | None

    @classmethod
    def take(cls) -> Inventory:
        """As of now, after a collection: what is garbage leaks nowhere."""
        gc.collect()
        blocks = tracemalloc.take_snapshot() if tracemalloc.is_tracing() else None
        return cls(Counter(_type_name(each) for each in gc.get_objects()), blocks)

    def growth(self, most: int = 10) -> str:
        """What there is more of now, for people."""
        now = Inventory.take()
        grown = [(name, count) for name, count in (now.types - self.types).most_common(most) if count > 1]
        lines = ["objects more than at the first look:"]
        lines += [f"  {count:+,} {name} (now {now.types[name]:,})" for name, count in grown]
        if now.blocks is not None and self.blocks is not None:
            lines.append("bytes more than at the first look, by line:")
            lines += [f"  {each}" for each in now.blocks.compare_to(self.blocks, "lineno")[:most] if each.size_diff > 0]
        else:
            lines.append("no allocations: tracemalloc was not on at the first look (python -X tracemalloc)")
        return "\n".join(lines)


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else sys.intern(f"{kind.__module__}.{kind.__qualname__}")
