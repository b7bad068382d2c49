"""From the counts of a run to what it found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from seawall.measure._histogram import Histogram
from seawall.measure.load._course import Phase
from seawall.measure.load._record import Record, Totals, blocks_of, throughput_of, together
from seawall.measure.load._settings import Settings
from seawall.measure.load.pattern._recipe import recipe_of
from seawall.measure.load.result._judge import judge
from seawall.measure.load.result._parts import Generator, Note, Part
from seawall.measure.load.result._result import LoadResult, none_reached


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run came to its end.

    Args:
        elapsed: Seconds from the start to the last answer.
        due: How many requests were due, by scenario and phase.
        whole: Whether the whole plan was done.
        lost: The threshold that could not be kept any more.
        engines: What made the requests, by scenario.
        generator: How the generator fared.
        notes: What was noted.
        began: When it began, in words.
        ended: Why scenarios ended on their own before their plan was done, by scenario; empty where they did not.
    """

    elapsed: float
    due: list[list[int]]
    whole: bool
    lost: str | None
    engines: list[str]
    generator: Generator
    notes: list[Note]
    began: str
    ended: Sequence[str] = ()


def result_of(settings: Settings, records: Sequence[Record], ending: Ending) -> LoadResult:
    """What the run found out."""
    records = list(records)
    course, counted = settings.course, records[0].counted()
    totals = Totals.of([record.totals() for record in records])
    outcomes = _sum(record.outcomes() for record in records)
    errors = {kind: words for record in reversed(records) for kind, words in record.errors().items()}
    planned = sum(due[i] for due in ending.due for i in counted)
    response_time = together(record.response_time() for record in records)
    closed = settings.closed is not None
    schedule_error = Histogram() if closed else together(record.schedule_error() for record in records)
    result = LoadResult(
        response_time=response_time,
        service_time=together(record.service_time() for record in records),
        schedule_error=schedule_error,
        throughput=throughput_of(records, ending.elapsed),
        outcomes=dict(outcomes.most_common()),
        planned=planned,
        sent=totals.sent,
        completed=totals.completed,
        late=totals.late,
        dropped=planned - totals.sent,
        first_error=next(iter(errors.values()), None),
        verdict=judge(
            response_time=response_time,
            schedule_error=schedule_error,
            outcomes=outcomes,
            sent=totals.sent,
            late=totals.late,
            dropped=planned - totals.sent if ending.whole else 0,
            generator=ending.generator,
            closed=closed,
            makes_places=any(scenario.worker is not None for scenario in settings.scenarios),
            unreached=_unreached(settings, records),
        ),
        duration=max(ending.elapsed - course.warmup, 0.0),
        interrupted=not ending.whole,
        seed=settings.seed,
        blocks=blocks_of(records),
        aborted=ending.lost if not ending.whole else None,
        target=settings.target,
        pattern=settings.describe(),
        model="closed" if closed else "open",
        began=ending.began,
        warmup=course.warmup,
        scenarios=tuple(_scenario(settings, records, ending, i) for i in range(len(records))),
        phases=_phases(records, ending) if course.named or course.warmup else (),
        notes=tuple(sorted(ending.notes, key=lambda note: note.at)),
        generator=ending.generator,
        errors=errors,
        plan=recipe_of(settings),
    )
    return replace(result, thresholds=tuple(threshold.evaluate(result) for threshold in settings.thresholds))


def _scenario(settings: Settings, records: list[Record], ending: Ending, i: int) -> Part:
    record, course = records[i], settings.course
    planned = sum(ending.due[i][phase] for phase in record.counted())
    part = _part(settings.scenarios[i].name, [record], None, planned)
    duration = max(ending.elapsed - course.warmup, 0.0)
    ended = ending.ended[i] if ending.ended else ""
    return replace(part, engine=ending.engines[i], start=course.warmup, duration=duration, ended=ended)


def _unreached(settings: Settings, records: list[Record]) -> dict[str, int]:
    """How many requests of each scenario failed to connect, of those that never reached their target."""
    outcomes = {one.name: record.outcomes() for one, record in zip(settings.scenarios, records, strict=True)}
    return {name: found.total() for name, found in outcomes.items() if none_reached(found)}


def _phases(records: list[Record], ending: Ending) -> tuple[Part, ...]:
    begun = [(i, phase) for i, phase in enumerate(records[0].course.phases) if phase.start < ending.elapsed]
    return tuple(_phase(records, ending, i, phase) for i, phase in begun)


def _phase(records: list[Record], ending: Ending, i: int, phase: Phase) -> Part:
    length = min(phase.end, ending.elapsed) - phase.start
    part = _part(phase.name, records, i, sum(due[i] for due in ending.due))
    return replace(part, start=phase.start, duration=length, counted=phase.counted)


def _part(name: str, records: list[Record], phase: int | None, planned: int) -> Part:
    totals = Totals.of([record.totals(phase) for record in records])
    return Part(
        name=name,
        engine="",
        start=0.0,
        duration=0.0,
        response_time=together(record.response_time(phase) for record in records),
        service_time=together(record.service_time(phase) for record in records),
        outcomes=dict(_sum(record.outcomes(phase) for record in records).most_common()),
        planned=planned,
        sent=totals.sent,
        completed=totals.completed,
        succeeded=totals.succeeded,
        late=totals.late,
        bytes=totals.bytes,
    )


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total
