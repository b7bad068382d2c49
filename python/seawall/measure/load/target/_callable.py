"""Callables as targets."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seawall.errors import ConfigError
from seawall.measure.load.result._outcomes import Answer
from seawall.measure.load.target._call import Caller, Misused, checked

if TYPE_CHECKING:
    from seawall.measure.load.target._scenario import Scenario


def with_arguments(scenario: Scenario) -> Callable[[int, Any, Any], Any]:
    """The call of a scenario's callable: with the state of its place, then with its row, as far as there are any."""
    target: Callable[..., Any] = scenario.target  # type: ignore[assignment]
    if scenario.feed is None:
        return (
            (lambda _m, _state, _row: target()) if scenario.worker is None else (lambda _m, state, _row: target(state))
        )
    if scenario.worker is None:
        return lambda _m, _state, row: target(row)
    return lambda _m, state, row: target(state, row)


def async_caller(scenario: Scenario) -> Caller:
    """How a coroutine function is called."""
    call, check = with_arguments(scenario), scenario.check
    if check is None:
        return Caller("async callable", call)

    async def call_and_check(m: int, state: Any, row: Any) -> Answer | None:
        return checked(await call(m, state, row), check)

    return Caller("async callable", call_and_check)


def sync_call(scenario: Scenario) -> Callable[[int, Any, Any], Answer | None]:
    """How a plain callable is called in a thread."""
    call, check = with_arguments(scenario), scenario.check

    def call_and_check(m: int, state: Any, row: Any) -> Answer | None:
        result = call(m, state, row)
        if result is not None:
            _refuse_unused(result, scenario)
        return checked(result, check)

    return call_and_check


def _refuse_unused(result: object, scenario: Scenario) -> None:
    if inspect.iscoroutine(result):
        result.close()
    elif not (inspect.isgenerator(result) or inspect.isasyncgen(result) or inspect.isawaitable(result)):
        return
    kind = type(result).__name__
    raise Misused(
        f"{scenario.describe()} must do its work when it is called, but it returned a {kind} that nothing runs; "
        "make it an `async def` without yield, or a plain function that waits for the answer"
    )


def check_arguments(target: Callable[..., Any], *, worker: bool, feed: bool, name: str) -> None:
    """Raise ConfigError where a callable cannot take what it will be called with."""
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        # Some of those written in C do not say what they take.
        return
    given = [
        words for words, there in (("the state that its worker made", worker), ("a row of its feed", feed)) if there
    ]
    try:
        signature.bind(*given)
    except TypeError as error:
        words = " and ".join(given) or "no arguments"
        raise ConfigError(f"target must take {words}, got {name} with {signature}: {error}") from None


async def entered(worker: Callable[[], Any]) -> tuple[Any, Callable[[], Any] | None]:
    """The state that a worker makes, and what to call to leave it; both may be asynchronous."""
    made = worker()
    if inspect.isawaitable(made):
        made = await made
    if hasattr(made, "__aenter__"):
        return await made.__aenter__(), lambda: made.__aexit__(None, None, None)
    return entered_plainly(made)


def entered_plainly(made: Any) -> tuple[Any, Callable[[], Any] | None]:
    """The state and what leaves it, where nothing is to be awaited."""
    if hasattr(made, "__enter__") and hasattr(made, "__exit__"):
        return made.__enter__(), lambda: made.__exit__(None, None, None)
    return made, None
