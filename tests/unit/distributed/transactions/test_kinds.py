"""What every kind of transaction says of itself to the command line."""

from __future__ import annotations

import pytest

from seawall.distributed.transactions import RESOLVED, LogEntry, kind_of, kinds

BEGUN = {
    "saga": {"name": "order", "input": 1, "plan": {"steps": [], "pivot": None, "deadline": None}},
    "tcc": {"name": "order", "input": 1, "plan": {"branches": [], "deadline": None}},
    "2pc": {"participants": ["stock"]},
    "2pc_member": {"participant": "stock", "transaction": "x"},
}
# The last record of a two-phase commit is its end by its own word; the others say it in a word for all.
LAST = {
    "saga": {state: LogEntry("finished", 1, {"state": state}, True) for state in ("done", "compensated")},
    "tcc": {state: LogEntry("finished", 1, {"state": state}, True) for state in ("confirmed", "cancelled")},
    "2pc": {"committed": LogEntry("ended", 1, {}, True), "aborted": LogEntry("aborted", 1, {}, True)},
    "2pc_member": {
        "committed": LogEntry("ended", 1, {}, True),
        "aborted": LogEntry("aborted", 1, {}, True),
        "read_only": LogEntry("read_only", 1, {}, True),
    },
}


@pytest.mark.parametrize("name", kinds())
def test_a_kind_names_the_ends_its_records_lead_to(name):
    """Each end is the state of a finished summary, and the beginning is none."""
    kind = kind_of(name)
    begun = LogEntry("begun", 0, BEGUN[name])
    for state, last in LAST[name].items():
        summary = kind.summary((begun, last))
        assert (summary.state, summary.finished) == (state, True)
        assert kind.ends.has_ended(state)
        assert kind.ends.is_over(state)
    assert not kind.ends.is_over(kind.summary((begun,)).state)
    assert not kind.ends.has_ended(RESOLVED)
    assert kind.ends.is_over(RESOLVED)


@pytest.mark.parametrize("name", kinds())
def test_a_kind_names_no_end_that_never_comes(name):
    """What the command line waits for can happen."""
    ends = kind_of(name).ends
    assert ends.well | ends.back == LAST[name].keys()
    assert not ends.well & ends.back
