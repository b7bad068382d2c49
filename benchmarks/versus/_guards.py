"""What guards of all libraries are timed around, and what each must show before: it opens, it tries again, it refuses.

One decorator serves plain and coroutine functions where a library says so; `is_async` says which one is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from benchmarks._case import Probe, WrongAnswer

Function = Callable[..., Any]
Decorator = Callable[[Any], Any]

ANSWER = "answer"
ATTEMPTS = 3
# A probe's calls never come near these.
ROOMY = 1 << 24


def callee() -> str:
    """What is guarded."""
    return ANSWER


async def callee_async() -> str:
    """What is guarded and awaited."""
    return ANSWER


def is_answer(value: object) -> bool:
    """The callee was reached."""
    return value == ANSWER


def guarded(decorate: Decorator, is_async: bool, counted: Callable[[], int] | None = None) -> Probe:
    """A call of the callee; of an awaited one, what it costs above awaiting the bare callee."""
    if not is_async:
        return Probe("guarded()", {"guarded": decorate(callee)}, is_answer, counted)
    names = {"guarded": decorate(callee_async), "bare": callee_async}
    return Probe("await guarded()", names, is_answer, counted, bare="await bare()")


class Failing:
    """Fails so many times, then answers; knows how often it was called."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError("down")
        return ANSWER


def behind(decorate: Decorator, inside: Function, is_async: bool) -> Function:
    """`inside` behind the guard, to be called from plain code."""

    # Functions made here: not every library decorates other callables.
    def plain() -> object:
        return inside()

    async def awaited() -> object:
        return inside()

    if not is_async:
        return decorate(plain)  # type: ignore[no-any-return]
    guard = decorate(awaited)
    return lambda: asyncio.run(_awaited(guard))


def opens(decorate: Decorator, threshold: int, refusal: type[Exception], is_async: bool) -> None:
    """Shows that a breaker lets `threshold` failures through and refuses the next call."""
    inside = Failing(2 * threshold)
    call = behind(decorate, inside, is_async)
    told: Exception | None = None
    for _ in range(threshold + 1):
        try:
            call()
        except Exception as error:  # noqa: BLE001 - some raise their own error for the failure that opens them
            told = error
    if inside.calls != threshold or not isinstance(told, refusal):
        raise WrongAnswer(f"a breaker of {threshold} failures let {inside.calls} through and answered {told!r}")


def tries_again(decorate: Decorator, is_async: bool) -> None:
    """Shows that a retry of three attempts makes them."""
    inside = Failing(ATTEMPTS - 1)
    value = behind(decorate, inside, is_async)()
    if value != ANSWER or inside.calls != ATTEMPTS:
        raise WrongAnswer(f"a retry made {inside.calls} attempts of {ATTEMPTS} and answered {value!r}")


def admits_one(decorate: Decorator, refusal: type[Exception], is_async: bool) -> None:
    """Shows that a bulkhead of one admits a call, and refuses another made from inside it."""

    def nested(again: bool) -> Any:
        return call(False) if again else ANSWER

    async def nested_async(again: bool) -> Any:
        return await call(False) if again else ANSWER

    call = decorate(nested_async if is_async else nested)
    told: list[object] = []
    for again in (False, True):
        try:
            told.append(asyncio.run(_awaited(call, again)) if is_async else call(again))
        except refusal as error:
            told.append(type(error))
    if told != [ANSWER, refusal]:
        raise WrongAnswer(f"a bulkhead of one answered {told}")


async def _awaited(call: Function, *args: object) -> object:
    return await call(*args)
