"""A second copy of a call that takes long."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seawall._core.hedge import Hedging
from seawall.clock import Clock, Deadline, SystemClock
from seawall.errors import ConfigError
from seawall.guard._policy import Face, name_of
from seawall.guard.hedge._events import Hedged, HedgeStats, WonByCopy
from seawall.guard.hedge._options import HedgeOptions
from seawall.guard.hedge._quantile import Latencies, Quantile
from seawall.guard.hedge._race import Race
from seawall.guard.hedge._threads import ThreadRace
from seawall.guard.retry import RetryBudget
from seawall.patterns import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_DEFAULT = Quantile(0.95)  # whose median tells of a hedge after a fixed time what a copy is going to take


class Hedge(Hedging, Face):
    """When a call has not answered after a while, makes it once more and takes whichever answer comes first.

    Guarantees:

    - Exactly one answer: the first good one. A copy that fails does not end the call while another one runs; when none
      is good, the first copy's error is raised, with a note of the others.
    - The losers are cancelled and have ended when the answer is given; cancelling the caller cancels all copies. What
      stands inside the hedge in a pipeline sees these as cancellations, which are nobody's failure. A loser that
      does not end when cancelled holds up the answer.
    - Copies are at most `budget` of the calls of the last ten seconds, from any number of threads and tasks.
    - No copy is made before enough is known (`Quantile`), nor when the caller's Deadline leaves less than half of the
      calls take, nor of a call that fails before its time: that is what Retry is for.
    - A plain function runs in a thread, and so do its copies, with the caller's context variables. It cannot be
      interrupted: losers run to their end, and their answers are discarded. Where all `max_threads` are taken, the call
      runs in the caller's thread, without a copy.
    - What stands inside it in a pipeline is passed by each copy, what stands outside by the call.

    Thread safety: yes; threads, tasks and event loops. Cost: about 8 us for a coroutine function, 50 us for a
    plain one, 20 us for each copy.

    Args:
        after: Seconds after which a copy is made, or a Quantile of the calls' own latency.
        idempotent: True when every call may be made twice, or a function of a call's arguments that says so of it.
        max_copies: Copies of a call altogether, 2 to 10; each is made `after` the one before.
        budget: Copies for each call, at most, above 0 to 1; or a RetryBudget; None for no bound.
        good: Which results are answers; by default all.
        discard: Is given each answer that came too late, to close it; what it raises is logged.
        max_threads: Plain calls that may run in threads at once, losers among them, 2 to 10,000.
        name: What errors, events and statistics call it.
        clock: What measures the time.
        shadow: Count in `let_through` what would have been hedged, hedge nothing.
        enforce: The share of copies, of those due, that are made, 0 to 1.

    Raises:
        ConfigError: An option is out of range, `idempotent` is missing, or the function is a generator.

    Source: Dean and Barroso, "The Tail at Scale", CACM 56 (2), 2013; gRFC A6.

    Example:
        >>> import asyncio
        >>> calls = []
        >>> @Hedge(0.01, idempotent=True, budget=None)
        ... async def read(key: str) -> str:
        ...     calls.append(key)
        ...     if len(calls) == 1:
        ...         await asyncio.Event().wait()
        ...     return f"value of {key}"
        >>> asyncio.run(read("a")), calls
        ('value of a', ['a', 'a'])
    """

    __slots__ = (
        "__weakref__", "_budget", "_counts", "_discarded", "_good", "_latencies", "_lock", "_median", "_options",
        "_pool", "_running", "after_ns", "hedged", "won_by_copy",
    )  # fmt: skip

    def __init__(
        self,
        after: float | timedelta | Quantile,
        *,
        idempotent: bool | Callable[..., object] | None = None,
        max_copies: int = 2,
        budget: float | RetryBudget | None = 0.1,
        good: Callable[[Any], object] | None = None,
        discard: Callable[[Any], object] | None = None,
        max_threads: int = 32,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        self._begin(name_of(name, "hedge"), clock, shadow, enforce)
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._running = 0
        self._counts = dict.fromkeys(("hedged", "won_by_copy", "over_budget", "too_late", "crowded"), 0)
        self.hedged: Signal[Hedged] = Signal("hedge.hedged", Hedged)
        self.won_by_copy: Signal[WonByCopy] = Signal("hedge.won_by_copy", WonByCopy)
        self._take(
            HedgeOptions(
                after=after,
                idempotent=idempotent,
                max_copies=max_copies,
                budget=budget,
                good=good,
                discard=discard,
                max_threads=max_threads,
            ),
            None,
        )

    @property
    def after(self) -> float | None:
        """When a copy is made, in seconds; None while too few calls have been seen to know."""
        return self.after_ns / 1e9 if self.after_ns >= 0 else None

    def stats(self) -> HedgeStats:
        """What it has done so far."""
        with self._lock:
            counts, running = dict(self._counts), self._running
        return HedgeStats(
            name=self.name,
            after=self.after,
            calls=self.calls,
            not_idempotent=self.not_idempotent,
            unlearned=self.unlearned,
            running=running,
            let_through=self.let_through,
            shadow=self.shadow,
            **counts,
        )

    def _take(self, options: HedgeOptions, budget: RetryBudget | None) -> None:
        """The options in force; a budget that goes on is given again."""
        self._options = options
        if budget is None:
            asked = options.budget
            budget = (
                asked
                if asked is None or isinstance(asked, RetryBudget)
                else RetryBudget(float(asked), min_per_second=0, name=f"{self.name}.budget"[:100], clock=self.clock)
            )
        self._good = options.good
        # A signal, as nobody waits: what the function raises is logged, and a coroutine runs as a task.
        self._discarded: Signal[Any] = Signal(f"{self.name}.discard", object)
        if options.discard is not None:
            self._discarded.connect(options.discard)
        self._budget = budget
        self._arrange(budget, None if options.idempotent is True else options.idempotent, options.good)
        quantile = options.after if isinstance(options.after, Quantile) else _BY_DEFAULT
        now = self.clock.now_ns()
        self._latencies = Latencies(quantile, now)
        self.after_ns, self._median = options.fixed_ns(), -1
        self._teach(self._latencies.recent, self.after_ns, self._latencies.due, self._latencies.wanted)

    def _look(self, now_ns: int) -> None:
        learnt, fixed = self._latencies.look(now_ns), self._options.fixed_ns()
        self.after_ns, self._median = fixed if fixed >= 0 else learnt.quantile, learnt.median
        self._teach(self._latencies.recent, self.after_ns, self._latencies.due, self._latencies.wanted)

    def _follow(self, options: Mapping[str, Any]) -> Callable[[], None] | None:
        wanted, before, budget = HedgeOptions(**options), self._options, self._budget
        if wanted.max_threads != before.max_threads:
            return None
        self._take(wanted, budget if wanted.budget == before.budget else None)
        return lambda: self._take(before, budget)

    def _carry(self, fn: Any) -> Any:
        if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            raise ConfigError(
                f"a Hedge makes calls that have one answer, got the generator function {fn!r}: its caller has seen "
                "items of one copy; hedge what it calls for each item"
            )
        return fn

    def _race(self, start: Callable[[], Any], is_async: bool, began_ns: int) -> Callable[[], Any]:
        return Race(self, start, began_ns).run if is_async else ThreadRace(self, start, began_ns).run

    def _may_copy(self, deadline: Deadline | None) -> bool:
        """Whether another copy is made, now that it is due; if so, it is paid for."""
        if deadline is not None:
            left = deadline.at_ns - deadline.clock.now_ns()
            if left <= max(self._median, 0):
                self._count("too_late")
                return False
        if self._pardon():
            return False
        if self._budget is not None and not self._budget.withdraw():
            self._count("over_budget")
            return False
        return True

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def _count_crowded(self) -> None:
        self._count("crowded")

    def _count_hedged(self, copy: int, began_ns: int) -> None:
        self._count("hedged")
        if self.hedged:
            self.hedged.send(Hedged(self.name, copy, (self.clock.now_ns() - began_ns) / 1e9))

    def _count_won(self, copy: int, began_ns: int) -> None:
        self._count("won_by_copy")
        if self.won_by_copy:
            self.won_by_copy.send(WonByCopy(self.name, copy, (self.clock.now_ns() - began_ns) / 1e9))

    def _lose(self, result: Any) -> None:
        """An answer that nobody is going to see."""
        if self._discarded:
            self._discarded.send(result)

    def _take_thread(self) -> bool:
        with self._lock:
            free = self._running < self._options.max_threads
            self._running += free
            return free

    def _give_thread(self) -> None:
        with self._lock:
            self._running -= 1

    def _submit(self, work: Callable[..., None], *args: Any) -> None:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._options.max_threads, thread_name_prefix=f"seawall-{self.name}")
            pool = self._pool
        try:
            pool.submit(work, *args)
        except BaseException:
            self._give_thread()
            raise

    def __repr__(self) -> str:
        when = f"after {self.after:g} s" if self.after is not None else "after what it has yet to learn"
        return f"<Hedge {self.name!r}: {when}, {self._counts['hedged']} hedged{' shadow' if self.shadow else ''}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self.clock, SystemClock):
            raise TypeError(f"Hedge {self.name!r} cannot be pickled with {self.clock!r}")
        options = {**self._options.as_dict(), "name": self.name, "shadow": self.shadow, "enforce": self.enforce}
        return functools.partial(Hedge, **options), ()
