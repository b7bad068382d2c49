"""What a service was doing when an error happened."""

from __future__ import annotations

import asyncio
import pickle
import threading

import pytest

from seawall.errors import EngineError, ErrorContext, attach, context_of, current_context, error_context


def test_seawalls_errors_get_the_context_they_are_raised_in() -> None:
    """As attribute and as note."""
    with pytest.raises(EngineError) as caught, error_context(operation="charge", correlation_id="r-1", tenant=7):
        raise EngineError("store")
    assert context_of(caught.value) == ErrorContext("charge", "r-1", {"tenant": 7})
    assert caught.value.__notes__ == ["context: operation=charge correlation_id=r-1 tenant=7"]
    assert current_context() is None


def test_other_errors_get_it_only_by_attach() -> None:
    """Foreign errors are left alone unless somebody asks."""
    with pytest.raises(KeyError) as caught, error_context(operation="charge"):
        raise KeyError("a")
    assert context_of(caught.value) is None
    with error_context(operation="charge"):
        error = attach(KeyError("a"))
    assert context_of(error) == ErrorContext("charge")
    assert error.__notes__ == ["context: operation=charge"]


def test_an_inner_context_adds_to_the_outer_one() -> None:
    """It wins where both say something, and stays when the outer one is left."""
    with (
        pytest.raises(EngineError) as caught,
        error_context(operation="order", correlation_id="r-1", tenant=7, step=1),
        error_context(operation="charge", step=2),
    ):
        raise EngineError("store")
    assert context_of(caught.value) == ErrorContext("charge", "r-1", {"tenant": 7, "step": 2})
    assert len(caught.value.__notes__) == 1


def test_without_a_context_nothing_is_attached() -> None:
    """No empty notes."""
    error = attach(EngineError("x"))
    assert context_of(error) is None
    assert not hasattr(error, "__notes__")


def test_a_context_is_found_behind_the_error() -> None:
    """Whoever wraps an error does not lose what it was given."""
    error = RuntimeError("order failed")
    with error_context(operation="charge"):
        error.__cause__ = attach(EngineError("store"))
    assert context_of(error) == ErrorContext("charge")


def test_a_context_survives_pickling() -> None:
    """Also when one of its attributes does not pickle: it travels as text."""
    lock = threading.Lock()
    with error_context(operation="charge", lock=lock, tenant=7):
        error = attach(EngineError("store"))
    assert context_of(pickle.loads(pickle.dumps(error))) == ErrorContext(
        "charge", None, {"lock": repr(lock), "tenant": 7}
    )


def test_long_attributes_are_cut_in_the_note() -> None:
    """A note is for reading."""
    assert len(str(ErrorContext(attributes={"body": "x" * 10_000}))) == len("body=") + 200


def test_an_error_that_takes_no_attributes_is_left_as_it_is() -> None:
    """A class may forbid attributes; the error must not be replaced by another one for that."""

    class Closed(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    with error_context(operation="charge"):
        error = Closed()
        assert attach(error) is error
    assert context_of(error) is None


async def test_tasks_inherit_a_context_and_keep_their_own() -> None:
    """Two tasks do not see each other's."""
    started = asyncio.Barrier(2)

    async def work(name: str) -> ErrorContext | None:
        with error_context(step=name):
            await started.wait()
            return current_context()

    with error_context(operation="order"):
        found = await asyncio.gather(work("a"), work("b"))
    assert found == [ErrorContext("order", None, {"step": "a"}), ErrorContext("order", None, {"step": "b"})]
