"""What all limits have in common: waiting, reserving, decorating, describing themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from seawall._core import limits as _core
from seawall.clock import Clock
from seawall.guard._policy import Face, OnConflict, conflict_of, name_of
from seawall.guard.limits import _options as options
from seawall.guard.limits._decision import LimitStats
from seawall.guard.limits._entering import Entering
from seawall.guard.limits._line import Line
from seawall.guard.limits._options import Plan
from seawall.guard.limits._permit import Permit
from seawall.memory import Segment

if TYPE_CHECKING:
    from seawall.guard.limits._keyed import Keyed


class Limit(_core.Limiter, Entering, Face):
    """The base of the five limits; make one of those.

    Every limit answers `try_acquire`, `check` and `peek` at once, waits in `acquire` and `acquire_async` (also as a
    context manager and a decorator), and hands out places with `reserve`.

    Thread safety: one object serves any number of threads, tasks, event loops and, when shared, processes.
    """

    __slots__ = ("__weakref__", "_line")

    _algorithm: ClassVar[str]
    _line: Line

    def _setup(
        self,
        plan: Plan,
        *,
        name: str | None,
        clock: Clock | None,
        shared: Segment | str | None,
        shadow: bool,
        enforce: float,
        on_conflict: str,
        cells: int = 0,
    ) -> None:
        conflict = conflict_of(on_conflict)
        self._line = Line(lambda cost, wait: self._place(cost, wait, True))  # who waits has been asked for
        self._begin(name_of(name, self._algorithm), options.clock_of(clock, shared), shadow, enforce)
        self._open(
            _core.KINDS.index(self._algorithm),
            plan.amount,
            plan.period,
            plan.limit,
            cells,
            Segment.of(shared),
            conflict,
        )

    @property
    def limit(self) -> int:
        """The most that is ever admitted at once."""
        return int(self._config()[2])

    def acquire(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait for a place, first come first served.

        Cancelling by an exception (KeyboardInterrupt) gives the place back and everybody behind moves up.

        Args:
            cost: What the call takes.
            timeout: The longest wait, in seconds; a Deadline in context counts too.

        Raises:
            RateLimited: At once, when the wait would outlast the timeout or the Deadline.
            ValueError: The cost can never be admitted.
        """
        if not self._admit_now(cost):
            with options.Patience(timeout) as longest:
                self._line.wait(self.clock, cost, longest)

    async def acquire_async(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task; cancelling it gives its place back."""
        if not self._admit_now(cost):
            with options.Patience(timeout) as longest:
                await self._line.wait_async(self.clock, cost, longest)

    def reserve(self, cost: int = 1) -> Permit:
        """A place now or later: wait `permit.wait` seconds, then go, or `cancel()` it.

        Raises:
            RateLimited: There is no place within a year (leaky bucket: the queue is full).
        """
        return self._place(cost, 365 * 86_400.0)

    def keyed(self, max_keys: int = 100_000, *, name: str | None = None, on_conflict: OnConflict = "error") -> Keyed:
        """The same limit for each of many keys.

        Args:
            max_keys: How many keys must find room at once, 1 to 2**30. 32 to 64 bytes each (a SlidingLog more).
            name: Name of the keyed limit; by default this one's with "/keyed".
            on_conflict: As for the limit itself, for a shared table.
        """
        from seawall.guard.limits._keyed import Keyed

        return Keyed(self, max_keys, name=name, on_conflict=on_conflict)

    def _rearrange(self, plan: Plan) -> None:
        with self._line.rearranging():
            self._reshape(plan.amount, plan.period, plan.limit)

    def _follow(self, options: dict[str, Any]) -> Callable[[], None]:
        before = Plan(*self._config())
        cast(Any, self).reconfigure(**options)
        return lambda: self._rearrange(before)

    def stats(self) -> LimitStats:
        """What this limit has done so far."""
        admitted, refused = self._counts()
        segment = self.segment
        return LimitStats(
            self.name,
            self._settings(),
            admitted,
            refused,
            self.peek().remaining,
            len(self._line),
            segment.path if segment else None,
            self.shadow,
        )

    def _wait_in(self) -> None:
        with options.Patience(None) as longest:
            self._line.wait(self.clock, 1, longest)

    async def _wait_in_async(self) -> None:
        with options.Patience(None) as longest:
            await self._line.wait_async(self.clock, 1, longest)

    def __repr__(self) -> str:
        where = f" shared in {self.segment.path}" if self.segment else ""
        shadow = " shadow" if self.shadow else ""
        now = f"{self._settings()}, {self.peek().remaining} remaining"
        return f"<{type(self).__name__} {self.name!r}: {now}{where}{shadow}>"

    def _pickled(self) -> tuple[Any, ...]:
        return self._config(), self.name, self.clock, self.segment, (self.shadow, self.enforce)

    @classmethod
    def _from_pickle(
        cls,
        config: tuple[int, int, int],
        name: str,
        clock: Clock,
        segment: Segment,
        lenience: tuple[bool, float],
    ) -> Self:
        self = cls.__new__(cls)
        self._setup(
            Plan(*config),
            name=name,
            clock=clock,
            shared=segment,
            shadow=lenience[0],
            enforce=lenience[1],
            on_conflict="adopt",
            cells=cls._cells(config[2]),
        )
        return self

    @classmethod
    def _cells(cls, limit: int) -> int:
        del limit
        return 0
