"""How an engine fails, for guards and across processes."""

from __future__ import annotations

import pickle

import pytest

from seawall import errors
from seawall.errors import EngineError, classify

MEANT = {
    "Unavailable": ("unavailable", "retry_later", True),
    "UnknownOutcome": ("unknown", "escalate", True),
    "Conflict": ("invalid", "fix", False),
    "Compacted": ("invalid", "fix", False),
    "LeaseLost": ("invalid", "fallback", False),
    "WrongVersion": ("invalid", "escalate", False),
    "ReadOnly": ("unavailable", "escalate", True),
    "Full": ("unavailable", "escalate", True),
    "AuthFailed": ("denied", "escalate", False),
    "Damaged": ("unknown", "escalate", True),
}


@pytest.mark.parametrize("name", MEANT)
def test_an_engine_error_means_what_to_do_about_it(name):
    """Only what surely changed nothing is retried; only the engine's own trouble counts against it."""
    found = classify(getattr(errors, name)("x"))
    assert (found.kind.name, found.advice.name, found.counts_as_failure) == MEANT[name]
    assert found.is_retryable is (name == "Unavailable")


@pytest.mark.parametrize("name", MEANT)
def test_an_engine_error_crosses_processes(name):
    """With its message and its public name."""
    error = getattr(errors, name)("what happened")
    error.add_note("a note")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, EngineError)
    assert (type(again), str(again), again.__notes__) == (type(error), "what happened", ["a note"])
    assert type(again).__module__ == "seawall.errors"


def test_what_was_expected_and_found_crosses_too():
    """For whoever decides again."""
    again = pickle.loads(pickle.dumps(errors.Conflict("x", expected=1, actual=2)))
    assert (again.expected, again.actual) == (1, 2)
    assert pickle.loads(pickle.dumps(errors.Compacted("x", oldest=3))).oldest == 3
