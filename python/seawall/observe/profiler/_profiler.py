"""The profiler: starts, stops, and hands over what it saw."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any

from seawall._core.sampling import Tick
from seawall.clock import Bell, Clock, SystemClock, WallClock, to_ns
from seawall.errors import ConfigError
from seawall.observe.profiler import _cpu
from seawall.observe.profiler._events import Slowed
from seawall.observe.profiler._options import ProfilerOptions
from seawall.observe.profiler._pace import Pace
from seawall.observe.profiler._profile import Profile, since
from seawall.observe.profiler._sampler import Sampler
from seawall.observe.profiler._sampling import Sampling
from seawall.observe.profiler._stack import CPU, OTHER, SAMPLES, WAITING, WALL
from seawall.patterns import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = (SAMPLES, WALL, CPU, WAITING) if _cpu.AVAILABLE else (SAMPLES, WALL)
# Of the budget, what looks at tasks may take at most.
_FOR_TASKS = 0.4


class _Run:
    """One run, from start to stop."""

    def __init__(self, options: ProfilerOptions, sampler: Sampler, chance: Random, clock: Clock) -> None:
        self.options = options
        self.sampler = sampler
        self.waker: Tick | Bell = Tick() if type(clock) is SystemClock else Bell()
        self.stopping = False
        self.thread: threading.Thread | None = None
        self.began = WallClock().now_ns() / 1e9
        self.samples = self.failed = 0
        self._clock = clock
        now = clock.now_ns()
        self.start = self.last = self.last_tasks = now
        self._chance = chance
        period = 1e9 / options.rate
        self.pace = Pace(period, options.budget)
        self.task_pace = Pace(period, options.budget * _FOR_TASKS) if options.tasks else None
        for pace in (self.pace, self.task_pace):
            if pace is not None:
                pace.begin(now, chance.random())

    def look(self, now: int) -> None:
        """One look at threads, and at tasks when that is due and paid for."""
        self.samples += 1
        elapsed, self.last = now - self.last, now
        self.sampler.look_at_threads(elapsed)

    def look_at_tasks(self, now: int) -> None:
        elapsed, self.last_tasks = now - self.last_tasks, now
        self.sampler.look_at_tasks(elapsed)

    def wait(self) -> None:
        """Sleep until a look is due, or the run ends."""
        if isinstance(self.waker, Tick):
            self.waker.wait(max(self.pace.due - self._clock.now_ns(), 0))
        else:
            self._clock.park(self.waker, self.pace.due)

    def end(self) -> None:
        """Nobody waits for a look any more."""
        if isinstance(self.waker, Tick):
            self.waker.done()

    def chance(self) -> float:
        return self._chance.random()

    def profile(self) -> Profile:
        counts = self.sampler.table.counts
        stacks = {stack: count.values()[: len(KINDS)] for stack, count in counts.items() if count.samples}
        beyond = sum(count.samples for stack, count in counts.items() if stack.frames == (OTHER,))
        seconds = (self.last - self.start) / 1e9
        sampling = Sampling(
            self.options.rate,
            self.samples,
            seconds,
            self.pace.spent / 1e9,
            self.pace.held_back,
            beyond,
            self.failed,
        )
        return Profile(KINDS, stacks, self.began, seconds, sampling)


class Profiler:
    """Looks at the stacks of all threads and suspended asyncio tasks of this process many times a second.

    Guarantees: looking takes at most `budget` of one processor over any length of time; above it looks become rarer,
    and the profile, the page and the signal `slowed` say so. Memory is bounded by `max_stacks`. Each look counts for
    the time since the look before, so neither late nor rare looks distort the shares. The moments are jittered.
    A forked child is not profiled until it starts its own.

    Thread safety: yes.

    Cost: about 0.12 us a frame of each thread that ran since the last look, 1 us for one that did not.

    Args:
        rate: Looks a second, 0.1 to 1,000.
        budget: Share of one processor, up to 0.5.
        max_stacks: Distinct stacks kept; further ones count as "(stacks beyond the limit)".
        max_depth: Innermost frames kept of a stack.
        tasks: Whether suspended tasks are looked at, too.
        max_tasks: Tasks in one look; of more, so many by chance, each standing for several.
        switch_interval: `sys.setswitchinterval` while it runs, in seconds. The main thread is seen where it is; other
            threads are seen where they let go of the interpreter, which they do after this time at the latest (5 ms
            by default). 0.0005 shows them truly; where many compute at once it costs them a few percent.
        split_threads: Tell threads apart whose names differ in numbers only.
        loops: Event loops that are not found by themselves: those whose `run_forever` is not asyncio's own.
        clock: When to look.
        chance: Jitters, and chooses tasks.

    Raises:
        ConfigError: An option is out of range.

    Example:
        >>> with Profiler(rate=200) as profiler:
        ...     _ = sorted(str(n) for n in range(100_000))
        >>> profiler.profile().kinds[1]
        Kind(name='wall', unit='nanoseconds')
    """

    def __init__(
        self,
        *,
        rate: float = 100.0,
        budget: float = 0.02,
        max_stacks: int = 10_000,
        max_depth: int = 256,
        tasks: bool = True,
        max_tasks: int = 200,
        switch_interval: float | None = None,
        split_threads: bool = False,
        loops: Iterable[asyncio.AbstractEventLoop] = (),
        clock: Clock | None = None,
        chance: Random | None = None,
    ) -> None:
        self.options = ProfilerOptions(
            rate=rate,
            budget=budget,
            max_stacks=max_stacks,
            max_depth=max_depth,
            tasks=tasks,
            max_tasks=max_tasks,
            switch_interval=switch_interval,
            split_threads=split_threads,
        )
        self.slowed: Signal[Slowed] = Signal("profiler.slowed", Slowed)
        self._loops = weakref.WeakSet(loops)
        self._clock = SystemClock() if clock is None else clock
        self._chance = Random() if chance is None else chance
        self._interval: float | None = None
        # Reentrant: whatever the collector calls while a look is taken may ask for the profile.
        self._lock = threading.RLock()
        self._run: _Run | None = None
        self._unseen: set[int] = set()
        _ALL.add(self)

    @property
    def running(self) -> bool:
        """Whether it looks."""
        return self._run is not None and not self._run.stopping

    def start(self) -> None:
        """Begin; what an earlier run saw is forgotten.

        Raises:
            ConfigError: It runs already.
        """
        with self._lock:
            if self.running:
                raise ConfigError("this profiler runs already; stop() it first, or make another")
            sampler = Sampler(self.options, self._loops, self._chance)
            run = _Run(self.options, sampler, self._chance, self._clock)
            sampler.unseen = self._unseen
            sampler.prime()
            run.thread = threading.Thread(target=self._work, args=(run,), name="seawall-profiler", daemon=True)
            self._run = run
            self._shorten_switches()
        run.thread.start()

    def stop(self) -> Profile:
        """End, and what was seen; a second time the same again.

        Raises:
            ConfigError: It was never started.
        """
        run = self._begun()
        with self._lock:
            run.stopping = True
            self._restore_switches()
        run.waker.ring()
        if run.thread is not None and run.thread is not threading.current_thread():
            run.thread.join()
        return self.profile()

    def profile(self) -> Profile:
        """What was seen so far, also while it runs.

        Raises:
            ConfigError: It was never started.
        """
        run = self._begun()
        with self._lock:
            return run.profile()

    def capture(self, seconds: float | timedelta) -> Profile:
        """A profile of the next `seconds`, for instance as evidence of an alert; the calling thread waits, unseen.

        A profiler that runs goes on running; else it starts and stops.
        """
        to_ns(seconds, "seconds")
        with self._capturing() as before, self._hidden():
            self._clock.sleep(seconds)
            after = self.profile()
        return after if before is None else since(after, before)

    async def capture_async(self, seconds: float | timedelta) -> Profile:
        """`capture` for a task."""
        to_ns(seconds, "seconds")
        with self._capturing() as before:
            await self._clock.sleep_async(seconds)
            after = self.profile()
        return after if before is None else since(after, before)

    @contextmanager
    def _capturing(self) -> Iterator[Profile | None]:
        with self._lock:
            before = self.profile() if self.running else None
            if before is None:
                self.start()
        try:
            yield before
        finally:
            if before is None:
                self.stop()

    @contextmanager
    def _hidden(self) -> Iterator[None]:
        ident = threading.get_ident()
        self._unseen.add(ident)
        try:
            yield
        finally:
            self._unseen.discard(ident)

    def _shorten_switches(self) -> None:
        asked, now = self.options.switch_interval, sys.getswitchinterval()
        if asked is not None and asked < now:
            self._interval = now
            sys.setswitchinterval(asked)

    def _restore_switches(self) -> None:
        before, self._interval = self._interval, None
        # Whoever set another interval meanwhile meant it.
        if before is not None and abs(sys.getswitchinterval() - (self.options.switch_interval or 0.0)) < 1e-6:
            sys.setswitchinterval(before)

    def _begun(self) -> _Run:
        if self._run is None:
            raise ConfigError("this profiler was never started; start() it, or use it in with")
        return self._run

    def _work(self, run: _Run) -> None:
        used = time.thread_time_ns()
        while not run.stopping:
            run.wait()
            now = self._clock.now_ns()
            if now >= run.pace.due:
                used = self._take(run, now, used)
        run.end()

    def _take(self, run: _Run, now: int, used: int) -> int:
        elapsed, tasks = now - run.last, run.task_pace
        with self._lock:
            if run.stopping:
                return used
            _guarded(run, run.look, now)
            if tasks is not None and now >= tasks.due:
                begun, since_tasks = time.thread_time_ns(), now - run.last_tasks
                _guarded(run, run.look_at_tasks, now)
                tasks.after(now, since_tasks, time.thread_time_ns() - begun, run.chance())
        # From look to look: waking up is part of what it costs.
        spent = time.thread_time_ns()
        if run.pace.after(now, elapsed, spent - used, run.chance()) and self.slowed:
            threads = len(run.sampler.threads)
            self.slowed.send(Slowed(self.options.rate, (spent - used) / 1e9, self.options.budget, threads))
        return spent

    def _after_fork(self) -> None:
        # The thread that looked is not in the child, and may have held the lock.
        self._lock = threading.RLock()
        self._run = None
        self._restore_switches()
        self._unseen = set()

    def __enter__(self) -> Profiler:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "running" if self.running else "not running"
        return f"<Profiler, {self.options.rate:g} samples/s, budget {self.options.budget:g}, {state}>"


def _guarded(run: _Run, look: Any, now: int) -> None:
    try:
        look(now)
    except Exception:  # a look that fails must not end the run
        run.failed += 1
        if run.failed == 1:
            logging.getLogger("seawall").exception("a look of the profiler failed; it goes on")


_ALL: weakref.WeakSet[Profiler] = weakref.WeakSet()


def _forget_runs() -> None:
    for profiler in list(_ALL):
        profiler._after_fork()


def _stop_all() -> None:
    # A thread that wants the interpreter while it ends would never get it.
    for profiler in list(_ALL):
        if profiler.running:
            profiler.stop()


os.register_at_fork(after_in_child=_forget_runs)
atexit.register(_stop_all)
