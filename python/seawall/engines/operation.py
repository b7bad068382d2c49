"""Operations as generators: written once, run by a thread or by a task.

An operation yields what is to be sent and receives the reply, or has the error raised where it yielded. It does no I/O,
reads no clock and knows neither threads nor loops; a `Driver` does. What stands on the ports composes their operations
(`entry = yield from key_value._do_get(key)`) in a class that has the port's driver (`driver_of`), and so it needs no
second text for tasks either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from seawall.engines._driver import Driver

R = TypeVar("R")
P = ParamSpec("P")


class Send(NamedTuple):
    """One round trip to the engine.

    Attributes:
        what: The engine's own: its wire knows what it means.
        again: It may be sent again when its answer was lost: a read, or a change that makes no difference the second
            time. Everything else becomes `UnknownOutcome`.
        extra: Seconds it may take beyond the operation timeout: how long the engine was asked to wait for news.
        within: The longest time for this send alone, in seconds; None leaves it to the operation's.
        retry: False hands every failure to the operation at once.
    """

    what: Any
    again: bool = False
    extra: float = 0.0
    within: float | None = None
    retry: bool = True


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass, in seconds, by the driver's clock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Afresh:
    """From here on the operation has its whole time again: the caller waits for others, each round is bounded."""


@dataclass(frozen=True, slots=True)
class Regardless:
    """From here on the operation has `seconds`, whatever the caller's Deadline: what was taken is given back."""

    seconds: float


Op = Generator[Send | Wait | Afresh | Regardless, Any, R]
"""An operation with a result of R."""


class Driven(Protocol):
    """Whatever has operations and somebody who runs them."""

    _driver: Driver


def driver_of(port: Driven) -> Driver:
    """Who runs the operations of a port, for what stands on it."""
    return port._driver


S = TypeVar("S", bound=Driven)


def blocking(operation: Callable[Concatenate[S, P], Op[R]]) -> Callable[Concatenate[S, P], R]:
    """The method that runs the operation and waits for its result."""

    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._driver.run(operation(self, *args, **kwargs))

    _dress(run, operation, "")
    return run


def awaitable(operation: Callable[Concatenate[S, P], Op[R]]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """The coroutine method that runs the operation."""

    async def run_async(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._driver.run_async(operation(self, *args, **kwargs))

    _dress(run_async, operation, "_async")
    return run_async


def perform(course: Generator[Any, Any, R], do: Callable[[Any], Any]) -> R:
    """Do whatever a generator yields, until its result; errors of `do`, cancellation too, come up where it yielded."""
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = course.send(reply) if error is None else course.throw(error)
        except StopIteration as done:
            result: R = done.value
            return result
        reply, error = None, None
        try:
            reply = do(step)
        except BaseException as raised:  # noqa: BLE001 - the generator's to handle, also cancellation
            error = raised


async def perform_async(course: Generator[Any, Any, R], do: Callable[[Any], Awaitable[Any]]) -> R:
    """`perform` in this task."""
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = course.send(reply) if error is None else course.throw(error)
        except StopIteration as done:
            result: R = done.value
            return result
        reply, error = None, None
        try:
            reply = await do(step)
        except BaseException as raised:  # noqa: BLE001 - the generator's to handle, also cancellation
            error = raised


def bounded(operation: Op[R], seconds: float) -> Op[R]:
    """The same operation, each of its sends within `seconds` and without retries: its failures are the caller's."""
    reply: Any = None
    error: Exception | None = None
    while True:
        try:
            step = operation.send(reply) if error is None else operation.throw(error)
        except StopIteration as done:
            result: R = done.value
            return result
        reply, error = None, None
        try:
            reply = yield step._replace(within=seconds, retry=False) if isinstance(step, Send) else step
        except Exception as raised:  # noqa: BLE001 - the inner operation's to handle
            error = raised


def _dress(run: Any, operation: Any, suffix: str) -> None:
    name = operation.__name__.removeprefix("_do_") + suffix
    run.__name__ = name
    run.__qualname__ = f"{operation.__qualname__.rpartition('.')[0]}.{name}"
    run.__module__ = operation.__module__
    run.__doc__ = operation.__doc__
    run.__wrapped__ = operation
    run.__annotations__ = operation.__annotations__
