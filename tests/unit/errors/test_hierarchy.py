"""The hierarchy, and its way through pickle and process pools."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import seawall
from seawall import errors
from seawall.errors import (
    BulkheadFull,
    CauseStandIn,
    CircuitOpen,
    ConfigError,
    DeadlineExceeded,
    EngineError,
    RateLimited,
    Rejected,
    RetryBudgetExhausted,
    SeawallError,
    SegmentError,
    Shed,
    TimeoutExceeded,
    attach,
    context_of,
    error_context,
)

REFUSALS = (Rejected, RateLimited, CircuitOpen, BulkheadFull, Shed, DeadlineExceeded, RetryBudgetExhausted)
PLAIN = (SeawallError, ConfigError, EngineError, SegmentError)


class Unlike(SeawallError):
    """Of a user, with a signature of its own."""

    def __init__(self, *, order: int, why: str) -> None:
        super().__init__(f"order {order}: {why}")
        self.order = order


class Fragile(Exception):
    """Pickles, and cannot be made again: pickle calls it with its message only."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class Unspeakable(Exception):
    """Neither pickles nor says anything."""

    def __str__(self) -> str:
        raise RuntimeError

    def __reduce__(self) -> Any:
        raise RuntimeError


def again(error: Any) -> Any:
    """The error after a journey."""
    return pickle.loads(pickle.dumps(error))


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """The error after it was raised from a cause."""
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_pickle_with_all_fields(kind: type[Rejected]) -> None:
    """What a refusal knows, it knows in another process."""
    error = again(kind("no", retry_after=2.5, policy="p", key=("tenant", 7), state="open"))
    assert type(error) is kind
    assert (str(error), error.args) == ("no", ("no",))
    assert (error.retry_after, error.policy, error.key, error.state) == (2.5, "p", ("tenant", 7), "open")
    assert isinstance(error, SeawallError)


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_errors_pickle(kind: type[SeawallError]) -> None:
    """With their message, attributes and notes."""
    error = kind("no")
    error.order = 17  # type: ignore[attr-defined]
    error.add_note("while charging")
    there = again(error)
    assert (type(there), str(there), there.order, there.__notes__) == (kind, "no", 17, ["while charging"])


def test_a_timeout_pickles_with_what_it_was_given() -> None:
    """`after` and `policy` travel."""
    error = again(TimeoutExceeded("too slow", after=2.0, policy="payments"))
    assert (str(error), error.after, error.policy) == ("too slow", 2.0, "payments")


def test_standard_classes_catch_their_like() -> None:
    """`except TimeoutError` and `except ValueError` work for users who do not know seawall."""
    assert issubclass(DeadlineExceeded, TimeoutError)
    assert issubclass(TimeoutExceeded, TimeoutError)
    assert issubclass(ConfigError, ValueError)
    assert not issubclass(TimeoutExceeded, Rejected)


def test_errors_are_named_by_their_public_path() -> None:
    """A traceback names what can be imported."""
    for name in errors.__all__:
        value = getattr(errors, name)
        if isinstance(value, type) and issubclass(value, BaseException):
            assert (value.__module__, value.__qualname__) == ("seawall.errors", name)


def test_the_errors_of_the_face_are_those_of_the_room() -> None:
    """One class under both paths."""
    for kind in (*REFUSALS, *PLAIN, TimeoutExceeded):
        assert getattr(seawall, kind.__name__) is kind


def test_a_subclass_with_its_own_signature_pickles() -> None:
    """Rebuilding does not run __init__."""
    error = again(Unlike(order=17, why="no stock"))
    assert (type(error), str(error), error.order) == (Unlike, "order 17: no stock", 17)


def test_a_chain_of_causes_pickles() -> None:
    """Chains of raise ... from ... from ..., with fields and notes at every link."""
    inner = raised(RateLimited("limit", retry_after=1.0), ConnectionResetError(104, "reset"))
    inner.add_note("inner")
    error = again(raised(EngineError("store"), inner))
    assert type(error.__cause__) is RateLimited
    assert (error.__cause__.retry_after, error.__cause__.__notes__) == (1.0, ["inner"])
    assert type(error.__cause__.__cause__) is ConnectionResetError
    assert error.__cause__.__cause__.errno == 104
    assert error.__cause__.__cause__.__cause__ is None
    assert error.__suppress_context__


def test_an_implicit_context_pickles() -> None:
    """An error raised while another was handled still shows the other one."""
    try:
        try:
            raise KeyError("a")  # noqa: TRY301
        except KeyError:
            raise EngineError("store")  # noqa: B904 - the implicit chain is what is tested
    except EngineError as caught:
        error = again(caught)
    assert error.__cause__ is None
    assert repr(error.__context__) == "KeyError('a')"
    assert not error.__suppress_context__


def test_a_hidden_context_stays_hidden() -> None:
    """`from None` means the same after a journey."""
    try:
        try:
            raise KeyError("a")  # noqa: TRY301
        except KeyError:
            raise EngineError("store") from None
    except EngineError as caught:
        error = again(caught)
    assert error.__context__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize("cause", [Fragile(1, 2), type("Local", (Exception,), {})("1 and 2")])
def test_a_cause_that_does_not_pickle_has_a_stand_in(cause: Exception) -> None:
    """With its type, message and notes; the links behind it are kept."""
    cause.add_note("fragile")
    name = f"{type(cause).__module__}.{type(cause).__qualname__}"
    error = again(raised(EngineError("store"), raised(cause, KeyError("deep"))))
    stand_in = error.__cause__
    assert type(stand_in) is CauseStandIn
    assert (stand_in.type_name, stand_in.message, str(stand_in)) == (name, "1 and 2", f"{name}: 1 and 2")
    assert stand_in.__notes__ == ["fragile"]
    assert repr(stand_in.__cause__) == "KeyError('deep')"
    assert str(again(error).__cause__) == f"{name}: 1 and 2"


def test_a_cause_with_broken_methods_does_no_harm() -> None:
    """Whatever a foreign error does, ours travels."""
    error = again(raised(EngineError("store"), Unspeakable()))
    assert error.__cause__.message == "<Unspeakable whose text cannot be shown>"


def test_attributes_that_do_not_pickle_travel_as_text() -> None:
    """A lock as a key must not cost the error itself."""
    lock = threading.Lock()
    error = again(RateLimited("no", key=lock, retry_after=1.0))  # type: ignore[arg-type]
    assert error.key == repr(lock)
    assert error.retry_after == 1.0


def test_a_chain_that_bites_its_tail_ends() -> None:
    """Cycles and very long chains are cut."""
    first, second = EngineError("1"), EngineError("2")
    first.__cause__, second.__cause__ = second, first
    assert again(first).__cause__.__cause__ is None
    error: SeawallError = EngineError("0")
    for number in range(1, 100):
        outer = EngineError(str(number))
        outer.__cause__ = error
        error = outer
    depth, there = 0, again(error)
    while there.__cause__ is not None:
        depth, there = depth + 1, there.__cause__
    assert depth == 32


def test_the_cost_of_a_chain_grows_with_its_length_only() -> None:
    """A link does not carry its own chain a second time."""

    def size(links: int) -> int:
        error: SeawallError = EngineError("x")
        for _ in range(links):
            outer = EngineError("x")
            outer.__cause__ = error
            error = outer
        return len(pickle.dumps(error))

    assert size(30) - size(20) == pytest.approx(size(20) - size(10), abs=8)


def test_copies_keep_the_chain() -> None:
    """copy.copy uses the same machinery."""
    error = copy.copy(raised(RateLimited("no", retry_after=1.0), KeyError("a")))
    assert (error.retry_after, repr(error.__cause__)) == (1.0, "KeyError('a')")


def fail(number: int) -> None:
    """What a worker process does."""
    with error_context(operation="charge", correlation_id=f"r-{number}"):
        try:
            raise attach(Fragile(number, 2))
        except Fragile as cause:
            raise CircuitOpen("open", retry_after=3.0, policy="payments", state="open") from cause


def test_errors_come_home_from_a_process_pool() -> None:
    """Fields, context and as much of the chain as there is."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(fail, 7).exception()
    assert isinstance(error, CircuitOpen)
    assert (error.retry_after, error.policy, error.state) == (3.0, "payments", "open")
    assert str(context_of(error)) == "operation=charge correlation_id=r-7"
    remote = error.__cause__
    assert remote is not None
    assert "raise CircuitOpen" in str(remote)
    # The pool puts the remote traceback where the cause was; the cause is behind it.
    assert type(remote.__cause__) is CauseStandIn
    assert remote.__cause__.message == "7 and 2"
    assert remote.__cause__.__notes__ == ["context: operation=charge correlation_id=r-7"]
