"""Runs operations: bounds their time, and sends again what may be sent again, through our own guard."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from seawall.clock import Clock, Deadline
from seawall.engines._options import EngineOptions
from seawall.engines._wire import Wire
from seawall.engines.operation import Afresh, Op, Regardless, Send, Wait
from seawall.errors import CircuitOpen, ConfigError, DeadlineExceeded, Unavailable, UnknownOutcome
from seawall.guard.breaker import CircuitBreaker
from seawall.guard.retry import Exponential, Retry

R = TypeVar("R")


class Driver:
    """Runs operations over one engine's wire, for threads and for tasks.

    Guarantees: an operation ends within the operation timeout (and what the engine was asked to wait), or the Deadline
    in context if that is sooner. `Unavailable` is tried again within that time, with waits that grow; a lost answer
    only where that makes no difference. Inside a Retry of the caller, which does the same, each call is tried once.
    When the engine stays away, a breaker answers `Unavailable` at once.

    Thread safety: yes.

    Args:
        wire: What carries the sends.
        options: Timeouts and tries.
        clock: For waits and timeouts.
        name: Of the engine, for messages; without anything secret.
        guarded: False for an engine in this process or machine, where there is nothing to reconnect to.
    """

    def __init__(self, wire: Wire, options: EngineOptions, clock: Clock, name: str, *, guarded: bool = True) -> None:
        self.wire = wire
        self.options = options
        self.clock = clock
        self.name = name
        self.closed = False
        self.guarded = guarded
        self.breaker = CircuitBreaker(
            name, failure_ratio=None, consecutive=options.break_after, open_for=options.break_for, probes=1,
            recovery=None, failure_if=_is_away, clock=clock,
        )  # fmt: skip
        self._retry = Retry(
            options.attempts, on=_may_try_again, backoff=Exponential(0.02, 2.0, 1.0), jitter="equal",
            max_time=options.operation_timeout, name=name, clock=clock,
        )  # fmt: skip

    def run(self, operation: Op[R], longest: float | None = None) -> R:
        """Run an operation in this thread; `longest` seconds instead of the operation timeout."""
        course = _Course(self, operation, longest or self.options.timeout)
        while (step := course.next()) is not None:
            try:
                if isinstance(step, Wait):
                    self.clock.sleep(step.seconds)
                elif not self.guarded:
                    course.reply = self.wire.execute(step.what, course.left(step))
                elif step.retry:
                    course.reply = self._retry.call(_once, self, step, course)
                else:
                    course.reply = _once(self, step, course)
            except BaseException as error:  # noqa: BLE001 - the operation's to handle, also cancellation
                course.error = error
        return course.result

    async def run_async(self, operation: Op[R], longest: float | None = None) -> R:
        """`run` in this task."""
        course = _Course(self, operation, longest or self.options.timeout)
        while (step := course.next()) is not None:
            try:
                if isinstance(step, Wait):
                    await self.clock.sleep_async(step.seconds)
                elif not self.guarded:
                    course.reply = await self.wire.execute_async(step.what, course.left(step))
                elif step.retry:
                    course.reply = await self._retry.call_async(self._once_async, step, course)
                else:
                    course.reply = await self._once_async(step, course)
            except BaseException as error:  # noqa: BLE001 - the operation's to handle, also cancellation
                course.error = error
        return course.result

    async def _once_async(self, step: Send, course: _Course[Any]) -> Any:
        try:
            return await self.breaker.call_async(self.wire.execute_async, step.what, course.left(step))
        except (CircuitOpen, UnknownOutcome) as error:
            raise self._meant(error, step) from error

    def _meant(self, error: CircuitOpen | UnknownOutcome, step: Send) -> Exception:
        if isinstance(error, CircuitOpen):
            return _Away(
                f"{self.name} has not been reachable and is asked again in {error.retry_after or 0:.3g} s; "
                "see that it runs and can be reached"
            )
        return Unavailable(f"{self.name} did not answer; nothing was to be changed ({error})") if step.again else error


# Plain functions: guards see at once that these give no coroutine, where they would have to look into methods.
def _once(driver: Driver, step: Send, course: _Course[Any]) -> Any:
    try:
        return driver.breaker.call(_execute, driver.wire, step.what, course.left(step))
    except (CircuitOpen, UnknownOutcome) as error:
        raise driver._meant(error, step) from error


def _execute(wire: Wire, what: Any, timeout: float) -> Any:
    return wire.execute(what, timeout)


class _Away(Unavailable):
    """Not asked at all: to wait here for the breaker would only queue callers up."""

    __module__ = "seawall.errors"

    def __reduce__(self) -> tuple[Any, ...]:
        return Unavailable(*self.args).__reduce__()


class _Course(Generic[R]):
    """One operation on its way: what it is to be told next, and until when it may take."""

    __slots__ = ("_deadline", "_driver", "_longest", "_operation", "_until_ns", "error", "reply", "result")

    result: R

    def __init__(self, driver: Driver, operation: Op[R], longest: float) -> None:
        self._driver = driver
        self._operation = operation
        self._deadline = Deadline.current()
        self._until_ns = driver.clock.now_ns() + round(longest * 1e9)
        self._longest = longest
        self.reply: Any = None
        self.error: BaseException | None = None

    def next(self) -> Send | Wait | None:
        """What the operation wants next; None when it has its result."""
        reply, error = self.reply, self.error
        self.reply = self.error = None
        try:
            step = self._operation.send(reply) if error is None else self._operation.throw(error)
            while isinstance(step, (Afresh, Regardless)):
                self._begin_again(step)
                step = self._operation.send(None)
        except StopIteration as done:
            self.result = done.value
            return None
        return step

    def _begin_again(self, step: Afresh | Regardless) -> None:
        if isinstance(step, Regardless):
            self._deadline, self._longest = None, step.seconds
        self._until_ns = self._driver.clock.now_ns() + round(self._longest * 1e9)

    def left(self, step: Send) -> float:
        """Seconds for a send.

        Raises:
            DeadlineExceeded: The caller's time is over.
            Unavailable: The operation's is.
        """
        driver = self._driver
        if driver.closed:
            raise ConfigError(f"{driver.name} is closed; open another engine")
        left = (self._until_ns - driver.clock.now_ns()) / 1e9 + step.extra
        left = left if step.within is None else min(left, step.within)
        if self._deadline is not None and (callers := self._deadline.remaining()) < left:
            if callers <= 0:
                raise DeadlineExceeded(f"the deadline has passed before {driver.name} was asked", state="passed")
            return callers
        if left <= 0:
            raise _Away(
                f"{driver.name} could not be asked within {self._longest:g} s; raise operation_timeout, or see "
                "why it is slow"
            )
        return left


def _is_away(outcome: Any) -> bool:
    return isinstance(outcome, (Unavailable, UnknownOutcome))


def _may_try_again(error: Exception) -> bool:
    return isinstance(error, Unavailable) and not isinstance(error, _Away)
