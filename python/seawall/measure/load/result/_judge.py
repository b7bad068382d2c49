"""Whether the numbers of a run speak of the target or of the generator."""

from __future__ import annotations

from collections.abc import Mapping

from seawall.measure._histogram import Histogram
from seawall.measure.load._failures import OWN_FAULT
from seawall.measure.load.result._parts import Generator
from seawall.measure.load.result._result import Verdict, none_reached

# The generator may add this much to a response time, in seconds, or this share of the P99, before it is worth a word.
_OWN_DELAY = 0.005
_OWN_SHARE = 0.1
_HELD_BACK = 0.01
# Shares of a processor, and of the run, from which on they are part of an explanation.
_BUSY = 0.95
_STARVED = 0.05


def judge(
    *,
    response_time: Histogram,
    schedule_error: Histogram,
    outcomes: Mapping[str, int],
    sent: int,
    late: int,
    dropped: int,
    generator: Generator | None = None,
    closed: bool = False,
    makes_places: bool = False,
    unreached: Mapping[str, int] | None = None,
) -> Verdict:
    """Decide whether the numbers speak of the target or of the generator."""
    if none_reached(outcomes):
        return Verdict(
            False, (f"{sum(outcomes.values()):,} of {sent:,} requests failed to connect",), "nothing was reached"
        )
    nowhere = [f"all {n:,} requests of {name!r} failed to connect" for name, n in (unreached or {}).items()]
    reasons = []
    if dropped:
        reasons.append(f"{dropped:,} of {sent + dropped:,} requests were never sent")
    if late > _HELD_BACK * sent:
        why = " or workers were still being made," if makes_places else ""
        reasons.append(f"max_concurrency was reached{why} and {late:,} of {sent:,} requests started late; raise it")
    reasons += _own_delays(response_time, schedule_error, generator)
    if closed and generator is not None and generator.cpu > _BUSY:
        reasons.append(f"it used {generator.cpu:.0%} of a processor, so more requests could have been its own limit")
    if outcomes.get(OWN_FAULT):
        reasons.append(f"it ran out of open files {outcomes[OWN_FAULT]:,} times; raise `ulimit -n`")
    if generator is not None and generator.lost:
        reasons.append(f"{generator.lost} of its {generator.processes} worker processes died")
    if nowhere:
        return Verdict(False, (*nowhere, *reasons), "a part was not reached")
    return Verdict(not reasons, tuple(reasons))


def _own_delays(response_time: Histogram, schedule_error: Histogram, generator: Generator | None) -> list[str]:
    whole = response_time.percentile(99.0) if response_time.count else 0.0
    allowed = max(_OWN_DELAY, _OWN_SHARE * whole)
    told = []
    if schedule_error.count and (own := schedule_error.percentile(99.0)) > allowed:
        told.append(
            f"its own delay was {own * 1e3:,.1f} ms at P99, against a response time of {whole * 1e3:,.1f} ms; "
            f"lower the rate or free a processor{_why(generator)}"
        )
    # A loop that is away reads answers late, which makes the target look slow however well requests started.
    elif generator is not None and generator.lag.count and (lag := generator.lag.percentile(99.0)) > allowed:
        told.append(
            f"its loop was away for {lag * 1e3:,.1f} ms at P99, against a response time of {whole * 1e3:,.1f} ms; "
            f"lower the rate or free a processor{_why(generator)}"
        )
    return told


def _why(generator: Generator | None) -> str:
    if generator is None:
        return ""
    facts = []
    if generator.waited > _STARVED:
        facts.append(f"it was ready and had no processor for {generator.waited:.0%} of the run")
    if generator.cpu > _BUSY:
        facts.append(f"it used {generator.cpu:.0%} of a processor")
    return f" ({', '.join(facts)})" if facts else ""
