"""The journal: bounded, counted exactly, the same error under the same fingerprint."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.errors import (
    ConfigError,
    EngineError,
    ErrorContext,
    ErrorJournal,
    ErrorRecord,
    Fingerprint,
    JournalOptions,
    Kind,
    attach,
    error_context,
)
from seawall.errors._fingerprint import normalised


def caught(message: str, kind: type[Exception] = ValueError) -> Exception:
    """An error with a traceback through this function."""
    try:
        raise kind(message)  # noqa: TRY301
    except kind as error:
        return error


def elsewhere(message: str) -> Exception:
    """The same error from another function."""
    try:
        raise ValueError(message)  # noqa: TRY301
    except ValueError as error:
        return error


def test_the_same_error_is_counted_once_for_each_time() -> None:
    """Numbers in the message do not make another error; another function does."""
    clock = ManualClock()
    journal = ErrorJournal(clock, wall=lambda: 1e9 + clock.time())
    journal.record(caught("order 17 failed"))
    clock.advance(5)
    journal.record(caught("order 18 failed"))
    journal.record(elsewhere("order 19 failed"))
    first, second = journal.top()
    assert first.fingerprint == Fingerprint("ValueError", __name__, "caught", "order <n> failed")
    assert (first.count, first.first_ns, first.last.at_ns, first.last.wall) == (2, 0, 5_000_000_000, 1e9 + 5)
    assert first.last.message == "order 18 failed"
    assert (second.fingerprint.function, second.count) == ("elsewhere", 1)
    assert str(first.fingerprint) == f"ValueError in {__name__}.caught: order <n> failed"
    assert re.fullmatch("[0-9a-f]{12}", first.fingerprint.id)
    assert first.fingerprint.id != second.fingerprint.id
    assert len(journal.top(1)) == 1
    assert journal.top(-1) == ()
    assert repr(journal) == "<ErrorJournal: 3 errors, 2 fingerprints>"


@pytest.mark.parametrize(
    ("message", "same"),
    [
        ("took 12.5 s", "took <n> s"),
        ("at 0xdeadBEEF", "at <hex>"),
        ("id 7d444840-9dc0-11d1-b245-5ffdce74fad2", "id <uuid>"),
        ("id 7d4448409dc011d1b2455ffdce74fad2", "id <uuid>"),
        ("commit 3f2a9c1b", "commit <hex>"),
        ("a  decade\n of facade", "a decade of facade"),
        ("10.0.0.1:6379", "<n>"),
        ("x" * 5000, "x" * 200),
        ("", ""),
    ],
)
def test_what_varies_is_taken_out_of_messages(message: str, same: str) -> None:
    """Numbers, addresses, hexadecimal ids and UUIDs; words stay words."""
    assert normalised(message) == same


def test_frames_of_libraries_are_not_the_place() -> None:
    """The innermost function of the application is, though the standard library raised."""
    import json

    try:
        json.loads("{")
    except ValueError as error:
        record = ErrorJournal(ManualClock()).record(error)
    assert record is not None
    assert record.fingerprint.function == "test_frames_of_libraries_are_not_the_place"
    assert record.type_name == "json.decoder.JSONDecodeError"


def test_fingerprints_can_be_taken_otherwise_while_in_use() -> None:
    """By type, by message, or by a function; the choice is a strategy."""
    journal = ErrorJournal(ManualClock(), fingerprint="type")
    journal.record(caught("a"))
    journal.record(elsewhere("b"))
    assert [(str(entry.fingerprint), entry.count) for entry in journal.top()] == [("ValueError", 2)]
    journal.fingerprint.use("message")
    journal.record(elsewhere("b"))
    journal.fingerprint.use(lambda error: Fingerprint("mine"))
    journal.record(elsewhere("b"))
    assert [str(entry.fingerprint) for entry in journal.top()] == ["ValueError", "ValueError: b", "mine"]
    with pytest.raises(
        ConfigError, match=r"^fingerprints has no 'typ'; did you mean 'type'\? there is: frame, message, type$"
    ):
        journal.fingerprint.use("typ")


def test_a_flood_of_different_errors_is_counted_as_other() -> None:
    """Memory stays bounded, and nothing goes uncounted."""
    journal = ErrorJournal(ManualClock(), max_fingerprints=3, max_recent=5)
    for word in ("a", "b", "c", "d", "e", "a"):
        journal.record(caught(f"no {word * 3}"))
    snapshot = journal.snapshot()
    assert (snapshot.total, snapshot.other, len(snapshot.entries)) == (6, 2, 4)
    assert [(entry.fingerprint.type_name, entry.count) for entry in snapshot.entries][:2] == [
        ("ValueError", 2),
        ("other", 2),
    ]
    assert [record.message for record in snapshot.recent] == ["no aaa", "no eee", "no ddd", "no ccc", "no bbb"]
    assert snapshot.by_kind == {"invalid": 6}


def test_rates_slide() -> None:
    """Over the short and the long window, and down to nothing when all is quiet."""
    clock = ManualClock()
    journal = ErrorJournal(clock, short_window=10, long_window=100)
    for _ in range(10):
        journal.record(caught("x"))
        clock.advance(1)
    entry = journal.top()[0]
    assert (entry.short_rate, entry.long_rate) == (1.0, 0.1)
    clock.advance(5)
    assert journal.top()[0].short_rate == 0.5
    clock.advance(5)
    assert journal.top()[0].short_rate == 0.0
    clock.advance(1000)
    assert (journal.top()[0].long_rate, journal.top()[0].count) == (0.0, 10)


def test_a_record_carries_kind_and_context() -> None:
    """The context of the error, or else the one it is recorded in; the message is cut."""
    journal = ErrorJournal(ManualClock(), max_message=10)
    with error_context(operation="charge"):
        error = attach(EngineError("a very long message"))
    with error_context(operation="record"):
        first = journal.record(error)
        second = journal.record(caught("x"))
    assert first is not None
    assert second is not None
    assert (first.context, second.context) == (ErrorContext("charge"), ErrorContext("record"))
    assert (first.message, first.classification.kind, first.wall) == ("a very lon", Kind.unavailable, None)


def test_cancellations_are_not_recorded() -> None:
    """Giving up is no error."""
    journal = ErrorJournal(ManualClock())
    assert journal.record(KeyboardInterrupt()) is None
    assert journal.snapshot().total == 0


def test_whoever_listens_hears_every_record() -> None:
    """After it is counted, and outside the lock: a receiver may read the journal."""
    journal = ErrorJournal(ManualClock())
    heard: list[tuple[ErrorRecord, int]] = []
    journal.recorded.connect(lambda record: heard.append((record, journal.snapshot().total)))
    record = journal.record(caught("x"))
    assert heard == [(record, 1)]
    assert journal.recorded.failures == 0


def test_clear_forgets_everything() -> None:
    """Counts, fingerprints and recent errors."""
    journal = ErrorJournal(ManualClock())
    journal.record(caught("x"))
    journal.clear()
    snapshot = journal.snapshot()
    assert (snapshot.total, snapshot.entries, snapshot.recent, len(journal)) == (0, (), (), 0)


def test_an_error_whose_text_is_broken_is_recorded() -> None:
    """A broken __str__ must not hide the error."""

    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    record = ErrorJournal(ManualClock()).record(Broken())
    assert record is not None
    assert record.message == "<message that cannot be shown>"


def test_threads_are_counted_exactly() -> None:
    """No error is lost between threads."""
    journal = ErrorJournal(ManualClock(), max_fingerprints=2)
    errors = [caught(f"no {word * 3}") for word in "abcd"]
    threads = [
        threading.Thread(target=lambda error=error: [journal.record(error) for _ in range(250)]) for error in errors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = journal.snapshot()
    assert (snapshot.total, sum(entry.count for entry in snapshot.entries), len(snapshot.entries)) == (1000, 1000, 3)
    assert snapshot.other >= 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_fingerprints": 0},
            "max_fingerprints must be 1 to 1000000 fingerprints, got 0; how many are told apart; more are 'other'",
        ),
        (
            {"short_window": 60, "long_window": 60},
            "short_window must be shorter than long_window, got 60 s and 60 s; raise the long one",
        ),
        (
            {"max_recents": 1},
            "JournalOptions has no option 'max_recents'; did you mean 'max_recent'? there is: "
            "long_window, max_fingerprints, max_message, max_recent, short_window",
        ),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    """The same rules and messages as everywhere."""
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        ErrorJournal(ManualClock(), **options)


def test_the_clock_must_be_one() -> None:
    """A function is no clock."""
    with pytest.raises(ConfigError, match=r"^float is no NowNs: now_ns is missing$"):
        ErrorJournal(1.0)  # type: ignore[arg-type]


def test_options_have_a_table() -> None:
    """For the documents."""
    assert "| `max_recent` | `100` | errors | 0 to 1000000 | how many last ones are kept |" in JournalOptions.table()
