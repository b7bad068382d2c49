"""How many calls a second a load test makes of a function that does nothing, and what each costs above a bare one."""

from __future__ import annotations

import os
from typing import Any

from benchmarks._case import WrongAnswer
from benchmarks.load._ours import child
from benchmarks.load._section import Section, Target
from benchmarks.load._sizes import Sizes
from benchmarks.load._targets import SEGMENT
from benchmarks.load._words import many, told
from seawall.memory import Segment

_LEAST = 30_000
_USERS, _THREADS, _WORKERS = 50, 8, 2
_BARE_CALLS = 100_000


def measure(sizes: Sizes) -> list[Section]:
    """Async in one event loop, plain in threads, async in two processes."""
    section = Section(
        "Calls a second of a Python callable",
        "A function that counts itself and returns. Open: the highest rate of those tried that the verdict calls valid "
        f"and that was kept within 1 %. Closed: as fast as it goes with {_USERS} users, {_THREADS} for plain ones. "
        "Overhead: processor time of a call, the generator's waiting included, without that of the bare call. No "
        "server, so all processors.",
        ["", "open, calls/s", "overhead a call", "closed, calls/s", "overhead a call"],
    )
    bare = child("bare", calls=_BARE_CALLS // (50 if sizes.quick else 1))
    best = _row(section, sizes, "`async def`", "awaited", bare["awaited"], users=_USERS, places=512)
    section.targets.append(Target(f"async: at least {_LEAST:,} calls/s", f"{best:,} in the open model", best >= _LEAST))
    _row(
        section, sizes, f"`def` in at most {_THREADS} threads", "plain", bare["plain"], users=_THREADS, places=_THREADS
    )
    both = _calls("awaited", users=_USERS, seconds=sizes.calls_seconds, workers=_WORKERS)
    section.add(f"seawall, `async def`, workers={_WORKERS}", "", "", many(both["completed"] / both["seconds"]), "")
    section.notes.append(
        f"workers={_WORKERS}: the processor time of worker processes cannot be told from that of their start, so "
        "there is no overhead; both take turns at counting into the same memory"
    )
    return [section]


def _row(section: Section, sizes: Sizes, name: str, kind: str, bare: float, *, users: int, places: int) -> int:
    """A line of the table; the highest rate that was kept in the open model, 0 for none."""
    best, facts = _highest(sizes, kind, max_concurrency=places)
    closed = _calls(kind, users=users, seconds=sizes.calls_seconds)
    opened = ["none kept", ""] if facts is None else [many(best), _overhead(facts, bare)]
    section.add(f"seawall, {name}", *opened, many(closed["completed"] / closed["seconds"]), _overhead(closed, bare))
    return best


def _overhead(facts: dict[str, Any], bare: float) -> str:
    return told(facts["cpu"] / facts["completed"] - bare)


def _highest(sizes: Sizes, kind: str, **options: Any) -> tuple[int, dict[str, Any] | None]:
    """The highest rate that is kept and its run. Rates have two attempts: the machine may be away for a moment."""
    best, facts, missed = 0, None, 0
    for rate in sizes.rates:
        runs = (_calls(kind, rate=rate, seconds=sizes.calls_seconds, **options) for _ in range(1 if sizes.quick else 2))
        kept = next((run for run in runs if _kept(run, rate)), None)
        if kept is not None:
            best, facts, missed = rate, kept, 0
            continue
        missed += 1
        if missed == 2:
            break
    return best, facts


def _kept(facts: dict[str, Any], rate: int) -> bool:
    return facts["valid"] and facts["completed"] / facts["seconds"] >= 0.99 * rate


def _calls(kind: str, **options: Any) -> dict[str, Any]:
    """The facts of a run; each call must have counted itself."""
    name = f"seawall-load-{os.getpid()}"
    try:
        facts = child("calls", {SEGMENT: name}, alone=True, kind=kind, **options)
    finally:
        Segment.remove(name)
    if not facts["counted"] == facts["completed"] > 0:
        raise WrongAnswer(f"{facts['counted']:,} calls counted themselves, seawall tells of {facts['completed']:,}")
    return facts
