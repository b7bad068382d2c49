"""The time a call has left, carried in context so that every layer below honours it."""

from __future__ import annotations

from contextvars import ContextVar, Token
from datetime import timedelta
from types import TracebackType

from seawall.clock._clocks import Clock, SystemClock
from seawall.clock._durations import to_ns

_current: ContextVar[Deadline | None] = ContextVar("seawall_deadline", default=None)


class Deadline:
    """Whatever runs inside `with Deadline(seconds):` has that long; an outer deadline that ends sooner wins.

    Thread safety: one object per `with`; context variables carry it into tasks.

    Example:
        >>> with Deadline(2.0) as deadline:
        ...     Deadline.current() is deadline
        True
    """

    __slots__ = ("_clock", "_token", "at_ns")

    def __init__(self, seconds: float | timedelta, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._token: Token[Deadline | None] | None = None
        self.at_ns = self._clock.now_ns() + to_ns(seconds, "deadline", least_ns=0)

    @staticmethod
    def current() -> Deadline | None:
        """The deadline in force here, if any."""
        return _current.get()

    def remaining(self) -> float:
        """Seconds left, 0.0 when it has passed."""
        return max(0, self.at_ns - self._clock.now_ns()) / 1e9

    def __enter__(self) -> Deadline:
        outer = _current.get()
        sooner = outer is not None and outer.remaining() < self.remaining()
        self._token = _current.set(outer if sooner else self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
            self._token = None

    def __repr__(self) -> str:
        return f"<Deadline in {self.remaining():.6g} s>"
