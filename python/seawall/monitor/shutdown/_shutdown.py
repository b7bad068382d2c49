"""The end of a service, in order."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from seawall.clock import Clock, SystemClock, to_ns
from seawall.engines.operation import perform, perform_async
from seawall.errors import ConfigError, ShuttingDown
from seawall.monitor.health import Health
from seawall.monitor.shutdown._gong import Gong
from seawall.monitor.shutdown._options import ShutdownOptions
from seawall.monitor.shutdown._signals import SignalListener
from seawall.monitor.shutdown._steps import Call, Doer, Ending, Step, Until
from seawall.monitor.shutdown._words import Closed, CutOff, Phase, PhaseChanged, ShutdownReport
from seawall.monitor.shutdown._work import Register, Work
from seawall.patterns import Signal

if TYPE_CHECKING:
    from seawall.monitor.shutdown._asgi import ShutdownAsgi

F = TypeVar("F", bound=Callable[[], Any])
Steps = Generator[Step, Any, None]
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ORDER = tuple(Phase)


class Shutdown:
    """Ends a service so that nobody notices: what was sent in good faith is taken, and what is taken may end.

    In order: readiness goes off; requests are still taken for `delay`, until load balancers have learnt of it; then
    nothing is taken any more; what is in flight has `drain` to end, then its tasks are cancelled; closers run, the last
    added first, each within its own time.

    Guarantees:

    - All of it ends within `within`, whatever hangs: each part has what it may take or what is left, if that is less.
    - A second signal ends all waiting at once and skips closers that have not begun; after it the handlers from before
      are back, so that a third one does what it always did.
    - A signal may come at any time, also before anything has started: then there is no delay where nobody was ever told
      that the service is ready, and what was added so far is closed.
    - One that fails or hangs keeps no other closer from running. The report tells of each.

    Thread safety: yes. Nothing is installed or started before `install()`, `with` or `async with`.

    Args:
        health: Whose readiness goes off.
        delay: Seconds in which requests are still taken; none after Ctrl-C, which a person waits for.
        drain: Seconds for what is in flight.
        unwind: Seconds for tasks that were cancelled to clean up.
        within: Seconds for everything: less than what the process manager gives before it kills.
        clock: What measures time.

    Example:
        >>> closed = []
        >>> with Shutdown(delay=0) as shutdown:
        ...     _ = shutdown.on_close("pool", lambda: closed.append("pool"))
        ...     _ = shutdown.on_close("cache", lambda: closed.append("cache"))
        ...     _ = shutdown.begin("done")  # or SIGTERM
        ...     _ = shutdown.wait()
        >>> closed, shutdown.report.clean
        (['cache', 'pool'], True)
    """

    def __init__(
        self,
        health: Health | None = None,
        *,
        delay: float | timedelta = 5.0,
        drain: float | timedelta = 15.0,
        unwind: float | timedelta = 1.0,
        within: float | timedelta = 28.0,
        clock: Clock | None = None,
    ) -> None:
        self.options = ShutdownOptions(delay=delay, drain=drain, unwind=unwind, within=within)
        self.changed: Signal[PhaseChanged] = Signal("shutdown.changed", PhaseChanged)
        self._health = health
        self._clock = clock or SystemClock()
        self._gong = Gong(self._clock)
        self._work = Register(self._clock, self._gong.strike)
        self._listener = SignalListener(self._on_signal)
        self._lock = threading.Lock()
        self._stops: list[Ending] = []
        self._closers: list[Ending] = []
        self._phase = Phase.RUNNING
        self._begun: tuple[str, int | None, bool, int] | None = None  # why, signal, whether to delay, when
        self._hurried = self._fronted = self._claimed = False
        self._starting = 0
        self._seconds = [0.0, 0.0]  # delayed, drained
        self._cut: tuple[CutOff, ...] = ()
        self._results: dict[str, list[Closed]] = {"stopped": [], "closed": []}
        self.report: ShutdownReport | None = None

    @property
    def phase(self) -> Phase:
        """How far it has come."""
        return self._phase

    @property
    def begun(self) -> bool:
        """Whether anybody has asked for it."""
        return self._begun is not None

    @property
    def in_flight(self) -> int:
        """How much is in flight."""
        return len(self._work)

    def work(self, name: str = "work") -> Work:
        """`with shutdown.work("job 7") as work:`, or `async with`: it is waited for, and cancelled when time is up.

        Entering raises ShuttingDown when nothing is taken any more. A task is cancelled; a thread looks at `work.cut`.
        """
        return Work(self._work, name)

    def on_stop(self, name: str, fn: F, *, within: float | timedelta = 5.0, in_thread: bool = False) -> F:
        """Call `fn` when nothing is to be taken any more: to close a listening socket, to cancel a subscription.

        Args:
            name: What the report calls it.
            fn: Function or coroutine function without arguments.
            within: Its time in seconds, 0.001 to 86,400.
            in_thread: Where a task shuts down, call a plain function in a thread and not in the loop: one that blocks.
        """
        return self._add(self._stops, name, fn, within, in_thread)

    def on_close(self, name: str, fn: F, *, within: float | timedelta = 5.0, in_thread: bool = True) -> F:
        """Call `fn` at the end; the last added is called first.

        Args:
            name: What the report calls it.
            fn: Function or coroutine function without arguments.
            within: Its time in seconds, 0.001 to 86,400.
            in_thread: Where a task shuts down, call a plain function in a thread, as it may block. False for what
                belongs to the loop.
        """
        return self._add(self._closers, name, fn, within, in_thread)

    def install(self, signals: Iterable[int] = _SIGNALS) -> None:
        """Handle signals, for threads and for asyncio alike: the first begins, the second hurries.

        Raises:
            ConfigError: Not in the main thread.
        """
        self._listener.install(signals)

    def uninstall(self) -> None:
        """Handle signals no more."""
        self._listener.uninstall()

    def begin(self, reason: str = "asked for", *, delay: bool = True) -> bool:
        """Ask for it; False when somebody has. From any thread.

        Args:
            reason: Why, for the report and for health.
            delay: False where no load balancer sends anything any more.
        """
        return self._begin(reason, None, delay)

    def hurry(self) -> None:
        """Wait for nothing any more, as after a second signal."""
        self._hurried = True
        self._gong.strike()

    def check(self) -> None:
        """Go on only while nobody has asked for it: between the steps of a start.

        Raises:
            ShuttingDown: Somebody has.
        """
        if self._begun is not None:
            raise ShuttingDown(f"the service shuts down ({self._begun[0]})", policy="shutdown", state=self._phase.value)

    def wait(self, timeout: float | timedelta | None = None) -> bool:
        """Wait until somebody asks for it; False when `timeout` seconds have passed before."""
        return self._gong.wait(self._until(timeout), lambda: self.begun)

    async def wait_async(self, timeout: float | timedelta | None = None) -> bool:
        """`wait` for a task."""
        return await self._gong.wait_async(self._until(timeout), lambda: self.begun)

    async def stopping(self) -> None:
        """Wait until nothing is to be taken any more: `shutdown_trigger=shutdown.stopping` of hypercorn."""
        await self._gong.wait_async(None, lambda: _ORDER.index(self._phase) >= _ORDER.index(Phase.STOPPING))

    @asynccontextmanager
    async def startup(self) -> AsyncIterator[None]:
        """What starts in this block is cancelled when somebody asks for the shutdown; then it raises ShuttingDown."""
        task = asyncio.current_task()
        assert task is not None
        cancelling = task.cancelling()
        watch = asyncio.create_task(self._interrupt(task))
        self._starting += 1
        try:
            yield
        except asyncio.CancelledError:
            # Somebody else's cancellation is never swallowed, also when both come together.
            if watch.done() and not watch.cancelled() and task.uncancel() <= cancelling:
                self.check()
            raise
        finally:
            self._starting -= 1
            watch.cancel()

    async def _interrupt(self, task: asyncio.Task[Any]) -> None:
        await self.wait_async()
        task.cancel()

    def finish(self) -> ShutdownReport:
        """Shut down now, in this thread, and report; who comes second waits for the first."""
        self.begin()
        if self._claim():
            perform(self._course(), self._doer().do)
        self._gong.wait(None, lambda: self.report is not None)
        assert self.report is not None
        return self.report

    async def finish_async(self) -> ShutdownReport:
        """`finish` for a task."""
        self.begin()
        if self._claim():
            await perform_async(self._course(), self._doer().do_async)
        await self._gong.wait_async(None, lambda: self.report is not None)
        assert self.report is not None
        return self.report

    def asgi(self, app: Any) -> ShutdownAsgi:
        """An ASGI app whose requests are work in flight, and whose server is shut down in order.

        Put probes outside: `health.asgi(shutdown.asgi(app))`.
        """
        from seawall.monitor.shutdown._asgi import ShutdownAsgi

        return ShutdownAsgi(self, app)

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._left(error)
        try:
            self.finish()
        finally:
            self.uninstall()
        return isinstance(error, ShuttingDown)

    async def __aenter__(self) -> Self:
        self.install()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._left(error)
        try:
            await self.finish_async()
        finally:
            self.uninstall()
        return isinstance(error, ShuttingDown)

    def _left(self, error: BaseException | None) -> None:
        if error is not None:
            self.begin(f"left by {type(error).__name__}", delay=False)
        else:
            self.begin("the block was left", delay=False)

    def _add(self, to: list[Ending], name: str, fn: F, within: float | timedelta, in_thread: bool) -> F:
        if not callable(fn):
            raise ConfigError(f"{name!r:.120} must be a function without arguments, got {type(fn).__name__}")
        seconds = to_ns(within, "within", least_ns=1_000_000, most_ns=86_400_000_000_000) / 1e9
        with self._lock:
            if self._phase in (Phase.CLOSING, Phase.DONE):
                raise ConfigError(f"{name!r} is added when closers run already, and would not be called; add it before")
            to.append(Ending(name, fn, seconds, in_thread))
        return fn

    def _on_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        # A person at a terminal waits; and what Ctrl-C ends has no load balancer.
        if not self._begin(name, number, number != signal.SIGINT):
            self.hurry()

    def _begin(self, reason: str, number: int | None, delay: bool) -> bool:
        with self._lock:
            if self._begun is not None:
                return False
            self._begun = (reason, number, delay and not self._starting, self._clock.now_ns())
        if self._health is not None:
            self._health.drain(f"shutting down, {reason}")
        self._gong.strike()
        return True

    def _claim(self) -> bool:
        with self._lock:
            claimed, self._claimed = self._claimed, True
        return not claimed

    def _doer(self) -> Doer:
        return Doer(self._gong, self._clock, lambda: self._hurried)

    def _course(self) -> Steps:
        yield from self._front()
        yield from self._back()

    def _front(self) -> Steps:
        """Until nothing is in flight; once."""
        if self._fronted:
            return
        self._fronted = True
        began = self._clock.now_ns()
        self._enter(Phase.DRAINING)
        if self._wants_delay():
            yield Until(lambda: False, self._at(self.options.delay))
        self._seconds[0] = self._since(began)
        self._work.close()
        self._enter(Phase.STOPPING)
        began = self._clock.now_ns()
        for stop in tuple(self._stops):
            # Also in a hurry, if not waited for then: a server that is not told to stop never ends.
            self._results["stopped"].append((yield Call(stop, max(0.001, self._left_of(stop.seconds)))))
        yield Until(self._is_empty, self._at(self.options.drain))
        yield from self._cut_off()
        self._seconds[1] = self._since(began)

    def _cut_off(self) -> Steps:
        late = self._work.now()
        for work in late:
            work.cancel()
        if late:
            yield Until(self._is_empty, self._at(self.options.unwind))
        now = self._clock.now_ns()
        self._cut = tuple(CutOff(work.name, (now - work.started_ns) / 1e9, not self._work.has(work)) for work in late)

    def _back(self) -> Steps:
        with self._lock:
            self._phase, closers = Phase.CLOSING, tuple(reversed(self._closers))
        self._enter(Phase.CLOSING)
        for closer in closers:
            left = self._left_of(closer.seconds)
            if self._hurried or left <= 0:
                self._results["closed"].append(Closed(closer.name, "skipped"))
            else:
                self._results["closed"].append((yield Call(closer, left)))
        self._report()

    def _report(self) -> None:
        reason, number, _, began = self._known()
        self.report = ShutdownReport(
            reason, number, self._since(began), self._seconds[0], self._seconds[1], self._cut,
            tuple(self._results["stopped"]), tuple(self._results["closed"]), self._hurried,
        )  # fmt: skip
        self._enter(Phase.DONE)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self.changed.send(PhaseChanged(phase, self._known()[0], self.in_flight))
        self._gong.strike()

    def _wants_delay(self) -> bool:
        """Only who was told that it is ready sends requests."""
        return self._known()[2] and (self._health is None or self._health.ever_ready)

    def _is_empty(self) -> bool:
        return not len(self._work)

    def _known(self) -> tuple[str, int | None, bool, int]:
        assert self._begun is not None
        return self._begun

    def _left_of(self, seconds: float) -> float:
        """What is left of some seconds, the end of everything being nearer or not."""
        end = self._known()[3] + to_ns(self.options.within, "within")
        return min(seconds, (end - self._clock.now_ns()) / 1e9)

    def _at(self, seconds: float | timedelta) -> int:
        return self._clock.now_ns() + max(0, round(self._left_of(to_ns(seconds, "seconds", least_ns=0) / 1e9) * 1e9))

    def _until(self, timeout: float | timedelta | None) -> int | None:
        return None if timeout is None else self._clock.now_ns() + to_ns(timeout, "timeout", least_ns=0)

    def _since(self, began: int) -> float:
        return (self._clock.now_ns() - began) / 1e9

    def __repr__(self) -> str:
        return f"<Shutdown {self._phase.value}, {self.in_flight} in flight, {len(self._closers)} closers>"
