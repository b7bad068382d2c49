"""What the port composes for engines that cannot do it in one step keeps to the same contract."""

from __future__ import annotations

import pytest
from tests.contract.test_journal import (
    test_a_claim_comes_with_its_first_records,  # noqa: F401
    test_a_claim_with_records_that_conflict_is_no_claim,  # noqa: F401
    test_a_concluded_stream_has_another_name_and_no_owner,  # noqa: F401
    test_a_conclusion_is_all_or_nothing,  # noqa: F401
    test_a_conclusion_without_a_name_or_records_only_ends_the_claim,  # noqa: F401
)

from seawall.clock import ManualClock
from seawall.engines import Journal, open_engine
from seawall.engines.memory._journal import MemoryJournal
from seawall.engines.operation import Op


class ComposedJournal(MemoryJournal):
    """The memory's journal without its own single steps."""

    _claim_and_append = Journal._claim_and_append
    _conclude = Journal._conclude


class Manual:
    """As much of a backend as these tests ask for."""

    short = 0.1

    def __init__(self) -> None:
        self.clock = ManualClock()

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)


@pytest.fixture
def backend() -> Manual:
    """A clock."""
    return Manual()


@pytest.fixture
def journal(backend: Manual):
    """A journal that composes."""
    with open_engine("memory://", clock=backend.clock) as engine:
        found = engine.journal()
        found.__class__ = ComposedJournal
        yield found


class _DiedError(Exception):
    pass


def _until(operation: Op[None], count: int, journal: Journal) -> None:
    """Run an operation and die before its send number `count`."""

    def cut() -> Op[None]:
        reply = None
        for _ in range(count):
            try:
                reply = yield operation.send(reply)
            except StopIteration:
                return
        raise _DiedError

    journal._driver.run(cut())


@pytest.mark.parametrize("count", range(12))
def test_a_conclusion_that_died_anywhere_is_concluded_by_the_next_owner(journal, backend, count):
    """Claimed again and concluded without records: everything is there once, or the last records were never written."""
    mine = journal.claim_and_append("open", "me", 60, b"1", b"2")
    try:
        _until(journal._do_conclude(mine.claim, b"3", into="done"), count, journal)
    except _DiedError:
        backend.pass_time(61)
        yours = journal.claim("open", "you", 60)
        if journal.last("open"):
            journal.conclude(yours, into="done")
    data = [record.data for record in journal.scan("done")]
    assert data in ([b"1", b"2"], [b"1", b"2", b"3"])
    assert journal.streams() == ("done",)
    if count == 11:
        assert data == [b"1", b"2", b"3"]
