"""The counts of a run: blocks, phases, slices, names of errors, and what processes share."""

from __future__ import annotations

import mmap

import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Answer, Constant
from seawall.measure.load._course import Course, lay_course
from seawall.measure.load._record import Record, Totals, blocks_of, throughput_of
from seawall.measure.load.result._outcomes import answered, failed


def course(duration: float = 10.0, *, warmup: float = 0.0, phases: dict[str, float] | None = None) -> Course:
    """A course of one request a second."""
    return lay_course(
        Constant(1), duration=duration, warmup=warmup, phases=phases or {}, interval=1.0, grace=0.0, timeout=1.0
    )


@pytest.mark.parametrize(
    ("duration", "number", "width"), [(0.05, 1, 0.05), (1.0, 10, 0.1), (6.4, 64, 0.1), (3600.0, 64, 56.25)]
)
def test_blocks_cover_the_plan_and_are_bounded(duration: float, number: int, width: float) -> None:
    """A plan has at most 64 equal blocks of at least 0.1 s; a shorter one is a single block."""
    record = Record(course(duration))
    for i in range(1000):
        due = duration * (i + 0.5) / 1000
        record.tally.end(due, due, due + 0.01, 0)
    found = blocks_of([record])
    assert len(found) == number
    assert [block.start for block in found] == pytest.approx([i * width for i in range(number)])
    assert all(block.duration == pytest.approx(width) for block in found)
    assert sum(block.histogram.count for block in found) == 1000


def test_the_end_of_the_plan_belongs_to_the_last_block() -> None:
    """A request due at the very end, or a rounding behind it, has a block; one of the warm-up has none."""
    record = Record(course(10.0, warmup=2.0))
    record.tally.end(12.000000001, 12.1, 12.5, 0)
    record.tally.end(1.9, 1.9, 2.5, 0)
    assert [(block.start, block.histogram.count) for block in blocks_of([record])] == [(63 * 10 / 64, 1)]


def test_silence_has_no_block() -> None:
    """Only blocks in which requests ended are kept, at their place in time."""
    record = Record(course())
    for due in (0.0, 5.0):
        record.tally.end(due, due, due + 0.5, 0)
    assert [block.start for block in blocks_of([record])] == [0.0, 5.0]


def test_a_request_belongs_to_the_phase_in_which_it_was_due() -> None:
    """However late it starts or ends; the warm-up counts in no total."""
    record = Record(course(10.0, warmup=2.0, phases={"ramp": 3.0, "peak": 4.0}))
    assert [(phase.name, phase.start, phase.end) for phase in record.course.phases] == [
        ("warm-up", 0.0, 2.0),
        ("ramp", 2.0, 5.0),
        ("peak", 5.0, 9.0),
        ("rest", 9.0, 12.0),
    ]
    for due in (0.0, 1.999, 2.0, 4.999, 5.0, 8.0, 11.0, 12.5):
        record.tally.start(due, due + 3, late=True)
        record.tally.end(due, due + 3, due + 3.5, 200, 10)
    assert [record.totals(i).sent for i in range(4)] == [2, 2, 2, 2]
    assert record.totals() == Totals(sent=6, completed=6, succeeded=6, late=6, bytes=60, slowest=3.5)
    assert record.outcomes() == {"2xx": 6}
    assert (record.response_time().count, record.response_time(0).count) == (6, 2)


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ({"a": 6.0, "b": 5.0}, "phases must fit into the duration of 10 seconds, got 11; shorten one"),
        ({"warm-up": 1.0}, "a phase must have a name of its own, got 'warm-up'; for example 'peak'"),
        ({"": 1.0}, "a phase must have a name of its own, got ''; for example 'peak'"),
        (
            {"a": 0},
            "phase 'a' must be between 0.001 and 604,800 seconds, got 0; for example 10 for ten seconds",
        ),
    ],
)
def test_phases_that_cannot_be(phases: dict[str, float], message: str) -> None:
    """Phases need names and lengths that fit into the plan."""
    with pytest.raises(ConfigError) as caught:
        course(phases=phases)
    assert str(caught.value) == message


def test_thousands_of_errors_stay_bounded() -> None:
    """Sixty-three kinds keep their names and first words, all further ones are counted together."""
    record = Record(course())
    for i in range(5000):
        record.end(1.0, 1.0, 1.1, Answer(f"error E{i}", error=f"words {i} " + "é" * 500))
    outcomes, errors = record.outcomes(), record.errors()
    assert sum(outcomes.values()) == 5000
    assert len(outcomes) == 64
    assert outcomes["other errors"] == 5000 - 63
    assert len(errors) == 64
    assert errors["error E0"].startswith("words 0 é")
    assert all(len(words.encode()) < 192 for words in errors.values())
    assert record.totals().succeeded == 0


def test_kinds_keep_their_words() -> None:
    """Statuses are counted by themselves or their class, errors with what was first said of them."""
    record = Record(course())
    for answer in (
        answered(200, 5),
        answered(204, 0),
        answered(503, 7),
        failed(TimeoutError("slow")),
        failed(TimeoutError("slower")),
        failed(ValueError("a")),
        Answer("cache hit"),
    ):
        record.end(0.0, 0.0, 0.1, answer)
    assert record.outcomes() == {
        "2xx": 2,
        "status 503": 1,
        "timeout": 2,
        "error ValueError": 1,
        "cache hit": 1,
    }
    assert record.errors() == {"timeout": "slow", "error ValueError": "a"}
    assert record.totals() == Totals(sent=0, completed=7, succeeded=3, late=0, bytes=12, slowest=0.1)


def test_slices_follow_starts_and_ends() -> None:
    """A slice counts what started in it and what ended in it, with the longest time of those."""
    record = Record(course())
    record.tally.start(0.2, 0.3)
    record.tally.start(0.4, 2.1, late=True)
    record.tally.end(0.2, 0.3, 2.9, 200, 11, True)
    record.tally.end(0.4, 2.1, 3.4, 500, 0, False)
    series = throughput_of([record, Record(record.course)], 9.0)
    assert (series.sent, series.completed, series.succeeded) == ((1, 0, 1, 0), (0, 0, 1, 1), (0, 0, 1, 0))
    assert (series.late, series.bytes) == ((0, 0, 1, 0), (0, 0, 11, 0))
    assert series.slowest == pytest.approx((0.0, 0.0, 2.7, 3.0))
    assert series.planned == pytest.approx((1.0, 1.0, 1.0, 1.0))


def test_processes_count_in_one_memory() -> None:
    """Two tallies over one memory are one: names and counts of either are seen by both."""
    plan = course()
    memory = mmap.mmap(-1, Record.bytes_for(plan))
    one, other = Record(plan, memory), Record(plan, memory)
    one.end(0.0, 0.0, 0.1, Answer("error A", error="a"))
    other.end(0.0, 0.0, 0.3, Answer("error A", error="again"))
    other.end(0.0, 0.0, 0.2, Answer("error B", error="b"))
    assert one.outcomes() == other.outcomes() == {"error A": 2, "error B": 1}
    assert one.errors() == {"error A": "a", "error B": "b"}
    assert one.response_time().max == pytest.approx(0.3)
    with pytest.raises(ValueError, match=r"^a tally needs [\d,]+ bytes from a page on, got 4,096$"):
        Record(plan, mmap.mmap(-1, 4096))
