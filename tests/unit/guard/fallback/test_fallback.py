"""A fallback: what is answered in place of which failure, and how one learns of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import seawall as sw
from seawall.errors import Kind
from seawall.guard.fallback import FallbackStats, FellBack


class Recoverable(ConnectionError):
    """An error a fallback answers."""


def fail(error: BaseException) -> Callable[[], Any]:
    """A function that raises."""

    def failing() -> Any:
        raise error

    return failing


def test_a_value_is_answered_in_place_of_a_recoverable_error() -> None:
    """Success passes untouched; a failure is answered, told, and marked in the context."""
    error = Recoverable("down")
    fallback = sw.Fallback("cached", name="user")
    told: list[FellBack] = []
    fallback.fell_back.connect(told.append)
    assert fallback.call(lambda: "fresh") == "fresh"
    assert sw.fallback_used() is None
    assert fallback.call(fail(error)) == "cached"
    assert sw.fallback_used() == FellBack("user", "value", 0, error, None)
    assert told == [sw.fallback_used()]
    assert fallback.call(lambda: "fresh") == "fresh"
    assert sw.fallback_used() is None
    assert fallback.stats() == FallbackStats("user", 2, 1, 0, 0, 0, 0, False)


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (lambda: "none", "none"),
        (lambda error: error.args, ("down",)),
        (lambda error=None: error, None),
        (lambda *args: len(args), 1),
        (dict, {}),
    ],
)
def test_a_function_is_given_the_error_if_it_takes_one(function: Callable[..., Any], answer: Any) -> None:
    """Only where it needs an argument, or takes any number."""
    assert sw.Fallback(function).call(fail(Recoverable("down"))) == answer


def test_a_chain_is_tried_in_order() -> None:
    """The first that works answers; those behind it are not called."""
    called: list[str] = []

    def second() -> str:
        called.append("second")
        return "two"

    fallback = sw.Fallback(fail(LookupError("one")), second, fail(AssertionError()))
    assert fallback.call(fail(Recoverable())) == "two"
    assert called == ["second"]
    used = sw.fallback_used()
    assert used is not None
    assert (used.source, used.step) == ("second", 1)


def test_when_the_whole_chain_fails_the_calls_own_error_is_raised() -> None:
    """With a note for each failure of a step."""
    error = Recoverable("down")
    fallback = sw.Fallback(fail(LookupError("one")), fail(KeyError("two")), name="user")
    with pytest.raises(Recoverable) as caught:
        fallback.call(fail(error))
    assert caught.value is error
    assert error.__notes__ == [
        "user: the fallback failed, too: LookupError('one')",
        "user: the fallback failed, too: KeyError('two')",
    ]
    assert fallback.stats().exhausted == 1


@pytest.mark.parametrize("error", [ConnectionError(), TimeoutError(), sw.CircuitOpen("open"), sw.RateLimited("full")])
def test_by_default_recoverable_errors_and_refusals_are_answered(error: Exception) -> None:
    """Transient, unavailable, timeout, rate_limited, and whatever our policies refuse."""
    assert sw.Fallback(1).call(fail(error)) == 1


@pytest.mark.parametrize("error", [TypeError(), KeyError(), ValueError(), ZeroDivisionError(), PermissionError()])
def test_by_default_bugs_are_not_answered(error: Exception) -> None:
    """A fallback must not hide them."""
    with pytest.raises(type(error)):
        sw.Fallback(1).call(fail(error))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), asyncio.CancelledError(), GeneratorExit()])
def test_cancellation_is_never_answered(error: BaseException) -> None:
    """Whatever `on` says: who gives up gets no answer."""
    with pytest.raises(type(error)):
        sw.Fallback(1, on=lambda _: True).call(fail(error))


@pytest.mark.parametrize(
    ("on", "answered", "passed"),
    [
        (KeyError, KeyError(), ConnectionError()),
        ((KeyError, OSError), ConnectionError(), ValueError()),
        (Kind.bug, KeyError(), ConnectionError()),
        ([Kind.bug, ConnectionError], ConnectionError(), TimeoutError()),
        (lambda error: "yes" in str(error), ValueError("yes"), ValueError("no")),
    ],
)
def test_on_says_which_errors_are_answered(on: Any, answered: Exception, passed: Exception) -> None:
    """By type, by kind, by both, by a predicate."""
    fallback = sw.Fallback(1, on=on)
    assert fallback.call(fail(answered)) == 1
    with pytest.raises(type(passed)):
        fallback.call(fail(passed))


@pytest.mark.parametrize("on", [asyncio.CancelledError, KeyboardInterrupt, 5, (), int, ["x"]])
def test_on_that_can_never_be_right_is_refused(on: Any) -> None:
    """Cancellation, no error at all, nothing."""
    with pytest.raises(sw.ConfigError) as caught:
        sw.Fallback(1, on=on)
    assert str(caught.value) == (
        "on must be a subclass of Exception, a Kind, a collection of those, or a predicate of the error, "
        f"got {on!r}; cancellation is never answered by a fallback"
    )


def test_a_failing_predicate_lets_the_error_through_with_a_note() -> None:
    """The call's own error is what matters."""
    error = Recoverable()
    with pytest.raises(Recoverable):
        sw.Fallback(1, on=lambda _: 1 / 0 > 0).call(fail(error))
    assert error.__notes__ == ["fallback: the predicate on= failed: ZeroDivisionError('division by zero')"]


def test_factory_makes_a_new_value_each_time() -> None:
    """A plain list is the same object for all; a factory's is not."""
    shared, fresh = sw.Fallback([]), sw.Fallback(factory=list)
    failing = fail(Recoverable())
    assert shared.call(failing) is shared.call(failing)
    assert fresh.call(failing) is not fresh.call(failing)
    assert sw.fallback_used().source == "factory"  # type: ignore[union-attr]


def test_nothing_to_answer_is_refused() -> None:
    """A fallback without a step is a mistake."""
    with pytest.raises(
        sw.ConfigError, match=r"^a Fallback needs something to answer: a value, a function, or factory=$"
    ):
        sw.Fallback()


def test_a_function_that_needs_more_than_the_error_is_refused() -> None:
    """At once, not when the first call fails."""

    def wants_two(a: int, b: int) -> None: ...

    with pytest.raises(sw.ConfigError) as caught:
        sw.Fallback(wants_two)
    assert str(caught.value) == f"a fallback function takes nothing, or the error, got {wants_two!r} that takes more"


async def test_coroutine_functions_answer_coroutine_functions() -> None:
    """They are awaited, and the mark is seen by the caller's task only."""

    async def answer(error: BaseException) -> str:
        await asyncio.sleep(0)
        return f"after {error}"

    @sw.Fallback(answer)
    async def work() -> str:
        raise Recoverable("down")

    async def other() -> FellBack | None:
        return sw.fallback_used()

    sw.Fallback(0).call(lambda: 0)
    before = asyncio.create_task(other())
    assert await work() == "after down"
    assert sw.fallback_used().source == "answer"  # type: ignore[union-attr]
    assert await before is None


def test_a_coroutine_function_cannot_answer_a_plain_call() -> None:
    """It fails as a step, with a note that says why."""

    async def answer() -> str:
        return "never"

    error = Recoverable()
    with pytest.raises(Recoverable):
        sw.Fallback(answer).call(fail(error))
    assert error.__notes__ == [
        f"fallback: the fallback failed, too: ConfigError('the fallback {answer!r} is a coroutine function, "
        "and the call it answers for is not')"
    ]


async def test_cancelled_while_answering_it_stays_cancelled() -> None:
    """No further step is tried."""
    tried: list[int] = []

    async def hang() -> None:
        await asyncio.Event().wait()

    @sw.Fallback(hang, lambda: tried.append(1))
    async def work() -> None:
        raise Recoverable

    task = asyncio.create_task(work())  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tried == []


async def test_a_generator_is_answered_for_before_its_first_item_only() -> None:
    """Then its items are those of the answer; later its error is raised: what was seen cannot be unseen."""

    @sw.Fallback([7, 8])
    def numbers(good: int) -> Iterator[int]:
        yield from range(good)
        raise Recoverable

    assert list(numbers(0)) == [7, 8]
    items = numbers(1)
    assert next(items) == 0
    with pytest.raises(Recoverable):
        next(items)

    async def answer() -> AsyncIterator[int]:
        yield 9

    for step, expected in ((answer, [9]), ([7, 8], [7, 8])):

        @sw.Fallback(step)
        async def others() -> AsyncIterator[int]:
            raise Recoverable
            yield 0

        assert [item async for item in others()] == expected
        assert sw.fallback_used() is not None


def test_refusals_of_policies_inside_are_answered() -> None:
    """A full bulkhead, a timeout: the caller gets the fallback."""
    bulkhead = sw.Bulkhead(1)
    with bulkhead:
        assert sw.Fallback("busy")(bulkhead(lambda: "free"))() == "busy"


def test_shadow_answers_nothing_and_counts() -> None:
    """The error is raised; what would have been answered is counted."""
    fallback = sw.Fallback(1, shadow=True)
    with pytest.raises(Recoverable):
        fallback.call(fail(Recoverable()))
    assert fallback.stats().let_through == 1


def test_repr_says_what_is_answered() -> None:
    """Sources in order, and how often."""
    fallback = sw.Fallback(sw.Fallback.stale(ttl=1), dict, 5, factory=list, name="user")
    assert repr(fallback) == "<Fallback 'user': stale, dict, value, factory; fell back 0 times>"
