"""The load test people hold."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load._closed import Closed, check_closed_options
from seawall.measure.load._course import lay_course
from seawall.measure.load._events import Watching
from seawall.measure.load._gather import Ending, result_of
from seawall.measure.load._progress import OnProgress, Watched, reporting
from seawall.measure.load._record import Record, together
from seawall.measure.load._run import LEAD, Run
from seawall.measure.load._settings import Settings
from seawall.measure.load._stopping import run_until_signal
from seawall.measure.load._thresholds import Threshold, check_parts
from seawall.measure.load._workers import run_in_workers
from seawall.measure.load.pattern._arrivals import Arrivals, check_arrivals
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.pattern._patterns import Constant
from seawall.measure.load.pattern._plans import Plan
from seawall.measure.load.result._parts import Generator
from seawall.measure.load.result._result import LoadResult
from seawall.measure.load.target import Request, Scenario
from seawall.measure.load.target._scenario import Engine, Target, check_concurrency, scenarios_of


class LoadTest:
    """A load test in the open model: requests start when the pattern says, answered or not.

    Guarantees: a request that has to wait because `max_concurrency` is reached starts late and is counted so, and its
    response time includes the wait; one that still waits when the run and its grace are over is counted as dropped.
    Memory does not grow with the number of requests, only with the length of the run divided by `interval`.

    Units: durations are in seconds or timedelta.

    Thread safety: a test holds settings only; each run is its own. `checkpoint` may be called from any thread.

    Args:
        target: A URL, a `Request`, a `GrpcCall`, a callable (plain or async), or several `Scenario`s.
        pattern: How many requests a second, when; or `Closed(users)` for the closed model.
        duration: Length of the plan, 0.001 s to a week.
        max_concurrency: Requests under way at once, 1 to 100,000; each needs a connection or a thread.
        arrivals: uniform (evenly spaced) or poisson (by chance, like independent users).
        warmup: How long to run at the pattern's first rate (or its mean, where that is 0) before the plan; it counts in
            no total but its own phase's.
        phases: Names of stretches of the plan with their lengths, in order; what is left is the phase `rest`.
        seed: Repeats poisson arrivals; drawn and told in the result when left out.
        timeout: The longest a request may take from its own start, 0.001 s to an hour.
        grace: How long after the plan's end requests that are still waiting may start, 0 to an hour.
        method: The HTTP method of a URL.
        headers: Sent with each request to a URL.
        body: Sent with each request to a URL.
        worker: See `Scenario`.
        feed: See `Scenario`.
        check: See `Scenario`.
        engine: See `Scenario`.
        threads: Of the engine in C++, 1 to 64.
        workers: Processes that make the requests, 1 to 64; 1 is this process. With more, each is started fresh, imports
            the target and makes every n-th request; `max_concurrency` and the users of a closed model are divided.
        interval: Length of a slice of the result's throughput, 0.01 s to an hour.
        thresholds: What the run must keep, as text such as `p99<250ms` and `errors<1%`, or parsed.
        abort: End the run as soon as an upper limit can no longer be kept, whatever the rest of it brings.

    Raises:
        ConfigError: An option can never work.

    Example:
        >>> from seawall.measure import Constant, LoadTest
        >>> LoadTest("http://127.0.0.1:8000/", Constant(100), duration=30)
        LoadTest('GET http://127.0.0.1:8000/', Constant(rate=100), duration=30)
    """

    def __init__(
        self,
        target: Target | Scenario | Sequence[Scenario],
        pattern: Pattern | Closed,
        *,
        duration: float | timedelta,
        max_concurrency: int = 512,
        arrivals: Arrivals = "uniform",
        warmup: float | timedelta = 0.0,
        phases: Mapping[str, float] | None = None,
        seed: int | None = None,
        timeout: float | timedelta = 10.0,
        grace: float | timedelta = 5.0,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        worker: Callable[[], Any] | None = None,
        feed: Any = None,
        check: Callable[[Any], bool] | None = None,
        engine: Engine = "auto",
        threads: int = 1,
        workers: int = 1,
        interval: float | timedelta = 1.0,
        thresholds: Iterable[Threshold | str] = (),
        abort: bool = False,
    ) -> None:
        options = {"worker": worker, "feed": feed, "check": check, "engine": None if engine == "auto" else engine}
        given = {name: value for name, value in options.items() if value is not None}
        request = {"method": method if method != "GET" else None, "headers": headers, "body": body}
        scenarios = scenarios_of(_with_request(target, request), given)
        check_arrivals(arrivals)
        if not isinstance(pattern, (Pattern, Closed)):
            raise ConfigError(f"pattern must be a Pattern, got {pattern!r}; for example Constant(100)")
        closed = pattern if isinstance(pattern, Closed) else None
        if closed is not None:
            check_closed_options(closed, scenarios, {"arrivals": None if arrivals == "uniform" else arrivals})
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
            raise ConfigError(f"seed must be a whole number, not negative, got {seed!r}; leave it out to draw one")
        self.pattern = pattern
        course = lay_course(
            Constant(0) if isinstance(pattern, Closed) else pattern,
            duration=_checks.seconds("duration", duration, way_out="for example 30 for half a minute"),
            warmup=_checks.seconds("warmup", warmup, low=0, way_out="0 is the default"),
            phases=phases or {},
            interval=_checks.seconds("interval", interval, low=0.01, high=3600, way_out="1 is the default"),
            grace=_checks.seconds("grace", grace, low=0, high=3600, way_out="use 0 to drop what waits at the end"),
            timeout=_checks.seconds("timeout", timeout, high=3600, way_out="10 is the default"),
        )
        self.settings = Settings(
            scenarios=scenarios,
            pattern=None if isinstance(pattern, Closed) else pattern,
            closed=closed,
            course=course,
            arrivals=arrivals,
            seed=(secrets.randbits(32) if seed is None else seed) if arrivals == "poisson" else None,
            max_concurrency=check_concurrency(max_concurrency),
            thresholds=_read_thresholds(thresholds),
            abort=abort,
            threads=_checks.whole("threads", threads, low=1, high=64, unit="threads", way_out="1 is the default"),
            workers=_checks.whole(
                "workers", workers, low=1, high=64, unit="processes", way_out="1, this process, is the default"
            ),
        )
        names = [phase.name for phase in course.phases if phase.name]
        check_parts(self.settings.thresholds, names, [scenario.name for scenario in scenarios])
        self.plan: Plan = course.plan if not course.warmup else self._without_warmup(duration)
        self._watching = Watching()

    def __repr__(self) -> str:
        return f"LoadTest({self.target!r}, {self.pattern!r}, duration={self.settings.course.duration:g})"

    @property
    def target(self) -> str:
        """What is called, in a few words."""
        return self.settings.target

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """What a run must keep."""
        return self.settings.thresholds

    def checkpoint(self, name: str, text: str = "") -> None:
        """Note a named moment, with the totals so far, in every run of this test that is under way. Any thread."""
        self._watching.note(name, "checkpoint", text)

    def event(self, name: str, text: str = "") -> None:
        """Note what a guard or chaos reported elsewhere, such as in another process, as `checkpoint` does."""
        self._watching.note(name, "event", text)

    def watch(self, *sources: object) -> None:
        """Note what guards report in runs that begin from now on: each event as one of the run's notes, 1,000 at most.

        Args:
            sources: Signals of `seawall.patterns`, or objects that have some, such as a CircuitBreaker; with `workers`,
                those of this process only.

        Raises:
            ConfigError: A source is no signal and has none.
        """
        self._watching.watch(sources)

    def run(self, on_progress: OnProgress | None = None) -> LoadResult:
        """Run the test in an event loop of its own; Ctrl-C and SIGTERM stop it, and what was measured is returned.

        Args:
            on_progress: Called four times a second, and once at the end, between requests: it should be quick.

        Raises:
            ConfigError: `max_concurrency` needs more open files than a process may have, or the settings cannot go to
                worker processes.
            SeawallError: A worker process died before the start.
            RuntimeError: Called from a running event loop; await `run_async` there.
        """
        return run_until_signal(
            lambda stop: self.run_async(on_progress, stop=stop), blocking="LoadTest.run()", awaited="run_async()"
        )

    async def run_async(
        self, on_progress: OnProgress | None = None, *, stop: asyncio.Event | None = None
    ) -> LoadResult:
        """Run the test in this event loop; setting `stop` ends it at once and returns what was measured so far.

        Cancelling the awaiting task cancels everything under way and raises CancelledError, as for any coroutine.

        Raises:
            ConfigError: `max_concurrency` needs more open files than a process may have, or the settings cannot go to
                worker processes.
            SeawallError: A worker process died before the start.
        """
        self.settings.check_files()
        if self.settings.workers > 1:
            return await run_in_workers(self.settings, self._watching, on_progress, stop or asyncio.Event())
        records = [Record(self.settings.course) for _ in self.settings.scenarios]
        began = datetime.now(UTC).isoformat(timespec="seconds")
        run = Run(self.settings, records, zero=asyncio.get_running_loop().time() + LEAD)
        watched = Watched(records, lambda: run.elapsed, lambda: run.under_way)
        with self._watching.run(run):
            async with reporting(on_progress, watched, every=0.25):
                whole = await run.go(stop or asyncio.Event())
        return result_of(self.settings, records, _ending(run, whole, began))

    def _without_warmup(self, duration: float | timedelta) -> Plan:
        return (Constant(0) if isinstance(self.pattern, Closed) else self.pattern).over(duration)


def _ending(run: Run, whole: bool, began: str) -> Ending:
    course, wall = run.settings.course, max(run.took, 1e-9)
    until = course.end if whole else run.took
    lag = together(record.lag() for record in run.records)
    return Ending(
        elapsed=run.took,
        due=run.due(until),
        whole=whole,
        lost=run.lost,
        engines=[driver.engine for driver in run.drivers],
        ended=run.ended,
        generator=Generator(run.cpu / wall, min(run.waited / wall, 1.0), lag),
        notes=run.all_notes(run.took),
        began=began,
    )


def _with_request(target: object, options: Mapping[str, Any]) -> object:
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(target, str):
        return Request(target, **given)
    if given:
        raise ConfigError(f"{next(iter(given))} belongs to a URL; give it to the Request")
    return target


def _read_thresholds(given: Iterable[Threshold | str]) -> tuple[Threshold, ...]:
    if isinstance(given, str):
        raise ConfigError(f"thresholds must be a list of texts, got {given!r}; use [{given!r}]")
    return tuple(one if isinstance(one, Threshold) else Threshold.parse(one) for one in given)
