"""The time a call has left, carried in context so that every layer below honours it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec

from seawall._core import deadline as _core
from seawall.clock._clocks import Clock, SystemClock
from seawall.clock._durations import to_ns
from seawall.errors import DeadlineExceeded

P = ParamSpec("P")

# What was in force outside each `with` of this context: (the deadline entered, what was in force, the rest).
_entered: ContextVar[tuple[Any, ...] | None] = ContextVar("seawall_deadlines_entered", default=None)


class _OfWhatIsInForce(Generic[P]):
    """A method that, asked of the class, is asked of the deadline in force here, and does nothing without one."""

    def __init__(self, method: Callable[Concatenate[Any, P], None]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, instance: Deadline | None, owner: type[Deadline]) -> Callable[P, None]:
        deadline = owner.current() if instance is None else instance
        return _nothing if deadline is None else partial(self._method, deadline)


def _nothing(*args: object, **kwargs: object) -> None:
    del args, kwargs


class Deadline(_core.Deadline):
    """Whatever runs inside `with Deadline(seconds):` has that long; an outer deadline that ends sooner wins.

    Limits, bulkheads and retries below refuse at once when what is left cannot suffice; own code asks `check()` between
    its steps and `require(seconds)` before one that takes long: of the object, or of the class for the one in force.

    Thread safety: one object serves any number of threads and tasks. Context variables carry it into tasks and into
    `asyncio.to_thread`; a bare `threading.Thread` starts without.

    Args:
        seconds: From now until it passes; 0 has passed already.
        clock: What measures it, by default the machine's.

    Example:
        >>> with Deadline(2.0) as deadline:
        ...     Deadline.current() is deadline
        True
    """

    __slots__ = ()

    at_ns: int

    def __init__(self, seconds: float | timedelta, *, clock: Clock | None = None) -> None:
        clock = clock or _SYSTEM
        self._set(clock, clock.now_ns() + to_ns(seconds, "deadline", least_ns=0))

    @staticmethod
    def current() -> Deadline | None:
        """The deadline in force here, if any."""
        found: Deadline | None = _core.IN_FORCE.get()
        return found

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining() == 0.0

    @_OfWhatIsInForce
    def check(self) -> None:
        """Go on only while time is left; `Deadline.check()` asks the deadline in force, if any.

        Raises:
            DeadlineExceeded: It has passed.
        """
        if self.passed:
            raise self._refusal("the deadline has passed")

    @_OfWhatIsInForce
    def require(self, seconds: float | timedelta) -> None:
        """Go on only when what is left suffices for `seconds` of work; of the class, as for `check`.

        Raises:
            DeadlineExceeded: Less is left; told at once, before the work is begun in vain.
        """
        needed = to_ns(seconds, "seconds", least_ns=0) / 1e9
        left = self.remaining()
        if left < needed or left == 0.0:
            raise self._refusal(f"the deadline leaves {left:.6g} s, {needed:.6g} s are needed")

    def _refusal(self, message: str) -> DeadlineExceeded:
        return DeadlineExceeded(message, state="passed" if self.passed else "too short")

    def __enter__(self) -> Deadline:
        outer = Deadline.current()
        _entered.set((self, outer, _entered.get()))
        if outer is None or outer.remaining() >= self.remaining():
            _core.IN_FORCE.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        top = _entered.get()
        # Left in another context than it was entered in (a generator closed elsewhere): that one is not touched.
        if top is not None and top[0] is self:
            _core.IN_FORCE.set(top[1])
            _entered.set(top[2])

    def __repr__(self) -> str:
        return f"<Deadline in {self.remaining():.6g} s>"


_SYSTEM = SystemClock()
_core.set_kind(Deadline)
