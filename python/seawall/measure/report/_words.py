"""What a report says in sentences."""

from __future__ import annotations

from seawall.measure.load.result._result import LoadResult
from seawall.measure.report import _format

_BUSY = 0.8
_WAITED = 0.05

MODELS = {
    "open": "open: requests start when the pattern says, answered or not",
    "closed": "closed: a request starts when the one before was answered, so a slow target is asked less and these "
    "times leave out what users who arrive on their own would have waited",
}


def standing(result: LoadResult) -> tuple[str, str]:
    """The verdict in a few words, with its colour: good, warn or bad."""
    if result.unreachable:
        return "Nothing was reached", "bad"
    if not result.passed:
        failed = sum(not one.passed for one in result.thresholds)
        words = f"{failed} of {_many(len(result.thresholds), 'threshold')} failed"
        return (words if result.verdict.valid else f"{words}; the numbers are in doubt"), "bad"
    if not result.verdict.valid:
        return _capital(result.verdict.cause), "warn"
    if result.interrupted:
        return "Valid, but cut short", "warn"
    if result.thresholds:
        return f"Valid; {_all(len(result.thresholds))}", "good"
    return "Valid: the numbers speak of the target", "good"


def doubts(result: LoadResult) -> list[str]:
    """What a reader has to know before the numbers."""
    told = (
        [] if result.verdict.valid else [f"{_capital(result.verdict.cause)}: {why}" for why in result.verdict.reasons]
    )
    if result.aborted is not None:
        told.append(f"The run ended after {_format.seconds(result.duration)}: {result.aborted} could no longer be kept")
    elif result.interrupted and not result.unreachable:
        told.append(f"The run was cut short after {_format.seconds(result.duration)}")
    cut = result.sent - result.completed
    if cut > 0:
        told.append(f"{_many(cut, 'request')} under way when it ended, in no percentile")
    if result.unreachable and result.first_error:
        told.append(f"The first error: {result.first_error}")
    return told


def health(result: LoadResult) -> list[str]:
    """How the generator fared, for people."""
    return [*_delay(result), *_machine(result)]


def reading(result: LoadResult) -> list[str]:
    """How to read a report, honestly."""
    told = [
        "Response time starts when a request was due by the plan, service time when it was really sent. Users feel the "
        "response time; where the two part, requests waited for a place in the generator (max_concurrency).",
        "A percentile is the time within which that share of all requests ended, failures and timeouts included. It "
        "is exact to about 0.1 %; the longest time is exact.",
        "Percentiles far to the right rest on few requests: P99 of 1,000 requests is decided by ten of them. Another "
        "run of the same target will differ; seawall compare says by how much it has to differ to mean something.",
        "Over time, requests are counted when they were sent and when they ended; percentiles over time stand at the "
        "moment requests were due, so a stall shows as a slope: who came at its beginning waited longest. The last "
        "slice may be shorter than the others.",
    ]
    if result.model == "closed":
        told.insert(0, "The model is closed: while the target stalled, almost nothing was asked of it. " + _CLOSED)
    if not result.verdict.valid:
        told.insert(
            0, "The verdict says that the numbers do not speak of the target alone. Repeat the run as it advises."
        )
    return told


_CLOSED = (
    "Percentiles of a closed model look better than what independent users would see, and cannot be compared with "
    "those of an open one."
)


def _delay(result: LoadResult) -> list[str]:
    own = result.schedule_error
    if not own.count:
        return ["No request left on its own time, so nothing can be said about the generator's own delay."]
    p50, p99 = (_format.seconds(value) for value in own.percentiles([50, 99]))
    return [
        f"Of the requests that nothing held back, half left within {p50} of their time, 99 % within {p99}; "
        f"the worst was {_format.seconds(own.max)} behind. These delays are part of the response times."
    ]


def _machine(result: LoadResult) -> list[str]:
    generator = result.generator
    if generator is None:
        return []
    where = (
        "one process and" if generator.processes == 1 else f"{generator.processes:,} processes, the busiest of which"
    )
    told = [f"It ran in {where} used {_format.share(generator.cpu)} of a processor."]
    if generator.cpu > _BUSY:
        told.append(
            "That is near what one can do: part of the times may be its own. Ask for less or use more processes."
        )
    told.append(f"For {_format.share(generator.waited)} of the run it was ready but had no processor.")
    if generator.waited > _WAITED:
        told.append("Other programs took it: run the generator on a quieter machine.")
    if generator.lag.count:
        p99 = _format.seconds(generator.lag.percentile(99))
        told.append(f"Its loop was away for {p99} at P99, {_format.seconds(generator.lag.max)} at most.")
    if generator.lost:
        told.append(f"{_many(generator.lost, 'process', 'processes')} died before the end.")
    return told


def _many(n: int, one: str, more: str = "") -> str:
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def _all(n: int) -> str:
    return "the threshold was kept" if n == 1 else f"all {n} thresholds were kept"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
