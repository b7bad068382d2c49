"""The load test people hold."""

from __future__ import annotations

import asyncio
import resource
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load._arrivals import Arrivals, arrival_times, check_arrivals
from seawall.measure.load._engine import Bounds, Engine
from seawall.measure.load._http import Request, check_url, sender
from seawall.measure.load._loop import fine_loop
from seawall.measure.load._lost import first_lost
from seawall.measure.load._pattern import Pattern
from seawall.measure.load._plans import Plan
from seawall.measure.load._progress import OnProgress, reporting
from seawall.measure.load._result import LoadResult
from seawall.measure.load._tally import Tally
from seawall.measure.load._thresholds import Threshold

# Files a process has open besides its connections.
_OTHER_FILES = 64


class LoadTest:
    """An open-model load test of a URL: requests start when the pattern says, answered or not.

    Guarantees: a request that has to wait because `max_concurrency` is reached starts late and is counted so, and its
    response time includes the wait; one that still waits when the run and its grace are over is counted as dropped.
    Memory does not grow with the number of requests, only with the length of the run divided by `interval`.

    Units: durations are in seconds or timedelta.

    Thread safety: a test holds settings only; each run is its own.

    Args:
        target: An http or https URL.
        pattern: How many requests a second, when.
        duration: Length of the plan, 0.001 s to a week.
        max_concurrency: Requests under way at once, 1 to 100,000; each needs a connection, so an open file.
        arrivals: uniform (evenly spaced) or poisson (by chance, like independent users).
        seed: Repeats poisson arrivals; drawn and told in the result when left out.
        timeout: The longest a request may take from its own start, 0.001 s to an hour.
        grace: How long after the plan's end requests that are still waiting may start, 0 to an hour.
        method: The HTTP method.
        headers: Sent with each request.
        body: Sent with each request.
        interval: Length of a slice of the result's throughput, 0.01 s to an hour.
        thresholds: What the run must keep, as text such as `p99<250ms` and `errors<1%`, or parsed.
        abort: End the run as soon as an upper limit of errors, late or max can no longer be kept.

    Raises:
        ConfigError: An option can never work.

    Example:
        >>> from seawall.measure import Constant, LoadTest
        >>> LoadTest("http://127.0.0.1:8000/", Constant(100), duration=30)
        LoadTest('http://127.0.0.1:8000/', Constant(rate=100), duration=30)
    """

    def __init__(
        self,
        target: str,
        pattern: Pattern,
        *,
        duration: float | timedelta,
        max_concurrency: int = 512,
        arrivals: Arrivals = "uniform",
        seed: int | None = None,
        timeout: float | timedelta = 10.0,
        grace: float | timedelta = 5.0,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        interval: float | timedelta = 1.0,
        thresholds: Iterable[Threshold | str] = (),
        abort: bool = False,
    ) -> None:
        check_url(target)
        check_arrivals(arrivals)
        if not isinstance(pattern, Pattern):
            raise ConfigError(f"pattern must be a Pattern, got {pattern!r}; for example Constant(100)")
        self.pattern = pattern
        self.plan: Plan = pattern.over(duration)
        self.arrivals = arrivals
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
            raise ConfigError(f"seed must be a whole number, not negative, got {seed!r}; leave it out to draw one")
        self.seed = (secrets.randbits(32) if seed is None else seed) if arrivals == "poisson" else None
        self.max_concurrency = _checks.whole(
            "max_concurrency", max_concurrency, low=1, high=100_000, unit="requests", way_out="512 is the default"
        )
        self.grace = _checks.seconds("grace", grace, low=0, high=3600, way_out="use 0 to drop what waits at the end")
        self.interval = _checks.seconds("interval", interval, low=0.01, high=3600, way_out="1 is the default")
        self.thresholds = _read_thresholds(thresholds)
        self.abort = abort
        # Chance decides how many poisson arrivals there are.
        self._most = self.plan.arrivals if arrivals == "uniform" else None
        self.request = Request(
            url=target,
            method=method.upper(),
            headers=dict(headers or {}),
            body=body.encode() if isinstance(body, str) else body,
            timeout=_checks.seconds("timeout", timeout, high=3600, way_out="10 is the default"),
        )

    def __repr__(self) -> str:
        return f"LoadTest({self.request.url!r}, {self.pattern!r}, duration={self.plan.duration:g})"

    def run(self, on_progress: OnProgress | None = None) -> LoadResult:
        """Run the test in an event loop of its own; Ctrl-C stops it and returns what was measured so far.

        Args:
            on_progress: Called four times a second, and once at the end, between requests: it should be quick.

        Raises:
            ConfigError: `max_concurrency` needs more open files than this process may have.
            RuntimeError: Called from a running event loop; await `run_async` there.
        """
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("LoadTest.run() needs a thread without a running event loop; await run_async() instead")
        with asyncio.Runner(loop_factory=fine_loop) as runner:
            return runner.run(self._until_interrupted(on_progress))

    async def run_async(
        self, on_progress: OnProgress | None = None, *, stop: asyncio.Event | None = None
    ) -> LoadResult:
        """Run the test in this event loop; setting `stop` ends it at once and returns what was measured so far.

        Cancelling the awaiting task cancels everything under way and raises CancelledError, as for any coroutine.

        Raises:
            ConfigError: `max_concurrency` needs more open files than this process may have.
        """
        check_files(self.max_concurrency, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        plan, seed = self.plan, self.seed
        until = plan.duration + self.grace
        tally = Tally(interval=self.interval, longest=until + self.request.timeout, duration=plan.duration)
        async with sender(self.request, connections=self.max_concurrency) as send:
            times = arrival_times(plan, self.arrivals, seed=seed)
            bounds = Bounds(self.max_concurrency, until)
            engine = Engine(times, send, tally, bounds, enough=lambda: self._lost(tally) is not None)
            async with reporting(on_progress, plan, engine, tally, every=0.25):
                cut = await engine.run(stop or asyncio.Event())
            duration = engine.elapsed
            due = engine.count_due(duration if cut else plan.duration)
        result = tally.result(plan, due=due, duration=duration, interrupted=cut, seed=seed)
        outcomes = tuple(threshold.evaluate(result) for threshold in self.thresholds)
        return replace(result, thresholds=outcomes, aborted=self._lost(tally) if cut else None)

    def _lost(self, tally: Tally) -> str | None:
        return first_lost(self.thresholds, tally.so_far, self._most) if self.abort else None

    async def _until_interrupted(self, on_progress: OnProgress | None) -> LoadResult:
        stop = asyncio.Event()
        work = asyncio.create_task(self.run_async(on_progress, stop=stop))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # asyncio.Runner turns Ctrl-C into a cancellation of this task; the work behind the shield goes on.
            if work.done():
                raise
            stop.set()
            return await work


def _read_thresholds(given: Iterable[Threshold | str]) -> tuple[Threshold, ...]:
    if isinstance(given, str):
        raise ConfigError(f"thresholds must be a list of texts, got {given!r}; use [{given!r}]")
    return tuple(one if isinstance(one, Threshold) else Threshold.parse(one) for one in given)


def check_files(concurrency: int, limit: int) -> None:
    """Raise ConfigError where that many connections need more open files than `limit` (-1: no limit)."""
    needed = concurrency + _OTHER_FILES
    if limit != resource.RLIM_INFINITY and needed > limit:
        raise ConfigError(
            f"max_concurrency {concurrency:,} needs {needed:,} open files but this process may have {limit:,}; "
            f"lower it to {max(limit - _OTHER_FILES, 1):,} or run `ulimit -n {needed}` first"
        )
