"""Finds the highest rate that keeps the thresholds, by load tests one after another."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load._progress import Progress
from seawall.measure.load._stopping import run_until_signal
from seawall.measure.load._test import LoadTest
from seawall.measure.load._thresholds import Threshold
from seawall.measure.load.capacity._search import Ended, Found, Observation, Search, Try
from seawall.measure.load.capacity._step import CapacityStep, judge_step
from seawall.measure.load.pattern._patterns import Constant
from seawall.measure.load.result._result import LoadResult

OnStep = Callable[[CapacityStep], None]
OnStepProgress = Callable[[float, Progress], None]
DEFAULT_THRESHOLDS = ("errors<1%",)
_CALM_PARTS = 5
_CALM_FEWEST = 5
_CALM_TRIES = 10
_OURS = ("pattern", "duration")


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a capacity search found.

    Guarantees: low <= rate <= high.

    Units: requests a second. `high` is inf where no upper bound was found.

    Args:
        rate: The limit: a step at this rate passes as often as it fails. 0 when nothing passed. Where the search has no
            upper bound, the highest rate that passed.
        low: Lower end of the interval, the rate to plan with.
        high: Upper end.
        confidence: Probability that the limit is within the interval.
        ended: Why the search ended: found (to the precision), all passed (even the highest rate), none passed (not even
            the first), steps used (the interval is wider than asked for), generator (it was the bottleneck),
            unreachable, not recovered (the target stayed slow after an overload), interrupted.
        steps: In their order.
    """

    rate: float
    low: float
    high: float
    confidence: float
    ended: Ended
    steps: tuple[CapacityStep, ...]

    def to_json(self) -> str:
        """The answer and its steps as a JSON object; `high` is null where it is open."""
        steps = [
            {"rate": one.rate, "outcome": one.outcome, "reason": one.reason, "result": json.loads(one.result.to_json())}
            for one in self.steps
        ]
        facts: dict[str, Any] = {name: getattr(self, name) for name in ("rate", "low", "high", "confidence", "ended")}
        facts["high"] = None if math.isinf(self.high) else self.high
        return json.dumps({**facts, "steps": steps}, indent=2)


class CapacitySearch:
    """A capacity search with its settings; `find_capacity` in an object, for who wants to look at it first.

    Thread safety: holds settings only; each run is its own.

    Args:
        target: As for LoadTest.
        search: The search over rates.
        step: Length of a step, 0.1 s to an hour.
        thresholds: What a step must keep.
        options: Further options of LoadTest.

    Raises:
        ConfigError: An option can never work.
    """

    def __init__(
        self,
        target: Any,
        search: Search,
        *,
        step: float | timedelta,
        thresholds: Iterable[Threshold | str],
        options: dict[str, Any],
    ) -> None:
        taken = [name for name in _OURS if name in options]
        if taken:
            raise ConfigError(
                f"{taken[0]} is not an option of a capacity search; it sets rates, and step= sets lengths"
            )
        self.search = search
        self.step = _checks.seconds("step", step, low=0.1, high=3600, way_out="5 is the default")
        self._target = target
        # A step that has failed for sure need not go on hurting the target.
        interval = min(max(self.step / 48, 0.05), 1.0)
        self._options = {"abort": True, "interval": interval, **options, "thresholds": thresholds}
        self.first = self._test(search.start, self.step)
        self._options["thresholds"] = self.thresholds = self.first.thresholds

    async def run_async(
        self,
        on_step: OnStep | None = None,
        on_progress: OnStepProgress | None = None,
        *,
        stop: asyncio.Event | None = None,
    ) -> Capacity:
        """Search in this event loop; setting `stop` ends it at once and returns what is known so far."""
        stop = stop or asyncio.Event()
        steps: list[CapacityStep] = []
        while isinstance(decided := self.search.decide(_seen(steps)), Try):
            result = await self._run(decided.rate, self.step, on_progress, stop)
            if stop.is_set():
                return self._capacity(steps, self.search.conclude(_seen(steps), "interrupted"))
            steps.append(CapacityStep(decided.rate, *judge_step(result, self.thresholds, _usual(steps)), result))
            if on_step is not None:
                on_step(steps[-1])
            if not await self._calm(steps, stop):
                ended: Ended = "interrupted" if stop.is_set() else "not recovered"
                return self._capacity(steps, self.search.conclude(_seen(steps), ended))
        return self._capacity(steps, decided)

    def run(self, on_step: OnStep | None = None, on_progress: OnStepProgress | None = None) -> Capacity:
        """Search in an event loop of its own; Ctrl-C and SIGTERM end it, and what is known so far is returned."""
        return run_until_signal(
            lambda stop: self.run_async(on_step, on_progress, stop=stop),
            blocking="find_capacity()",
            awaited="find_capacity_async()",
        )

    def _test(self, rate: float, duration: float) -> LoadTest:
        return LoadTest(self._target, Constant(rate), duration=duration, **self._options)

    async def _run(
        self, rate: float, duration: float, on_progress: OnStepProgress | None, stop: asyncio.Event
    ) -> LoadResult:
        tell = None if on_progress is None else lambda progress: on_progress(rate, progress)
        return await self._test(rate, duration).run_async(tell, stop=stop)

    async def _calm(self, steps: list[CapacityStep], stop: asyncio.Event) -> bool:
        """After a step that did not pass, wait until the lowest rate that did passes again; tell whether it does."""
        passed = [one.rate for one in steps if one.outcome == "passed"]
        if steps[-1].outcome == "passed" or not passed:
            return True
        rate = min(passed)
        for _ in range(_CALM_TRIES):
            result = await self._run(rate, max(self.step / _CALM_PARTS, _CALM_FEWEST / rate), None, stop)
            if stop.is_set():
                return False
            if judge_step(result, self.thresholds, _usual(steps))[0] == "passed":
                return True
        return False

    def _capacity(self, steps: list[CapacityStep], found: Found) -> Capacity:
        return Capacity(found.rate, found.low, found.high, self.search.confidence, found.ended, tuple(steps))


def find_capacity(
    target: Any,
    *,
    thresholds: Iterable[Threshold | str] = DEFAULT_THRESHOLDS,
    start: float = 10.0,
    most: float = 100_000.0,
    step: float | timedelta = 5.0,
    precision: float = 0.05,
    confidence: float = 0.9,
    growth: float = 2.0,
    max_steps: int = 50,
    on_step: OnStep | None = None,
    on_progress: OnStepProgress | None = None,
    **options: Any,
) -> Capacity:
    """Find the highest rate that keeps the thresholds, with an interval, in few steps.

    Each step is a load test at a constant rate. Besides the thresholds it has to keep up: response times that grow
    during the step fail it, as does a request that could not be sent. A step that fails through the generator's own
    fault is repeated; after three in a row the search ends: the generator's limit was met. After a step that did not
    pass, the search waits until the lowest rate that did passes again. Ctrl-C returns what is known so far.

    Units: rates in requests a second, durations in seconds or timedelta.

    Cost: about log2(limit / start) steps, then 7 to 9 for a sharp limit at 5 %, more for a gradual one.

    Args:
        target: As for LoadTest.
        thresholds: What a step must keep; errors<1% when left out.
        start: The first rate, above 0.
        most: The highest rate to try, at most 1,000,000.
        step: Length of a step, 0.1 s to an hour.
        precision: Width of the interval, relative to its lower end, at which to stop, 0.005 to 1.
        confidence: Probability that the limit is within the interval, 0.5 to 0.99. It holds for limits that are sharp
            next to the precision: 1/4 and 3/4 of the steps fail at rates that differ by less than half of it.
        growth: Factor between steps until the first failure, 1.1 to 100.
        max_steps: The most steps, 3 to 1,000.
        on_step: Called after each step.
        on_progress: Called four times a second with the rate of the step and its Progress; it should be quick.
        options: Further options of LoadTest, such as timeout, headers and max_concurrency.

    Raises:
        ConfigError: An option can never work.
        RuntimeError: Called from a running event loop; await `find_capacity_async` there.
    """
    search = Search(start, most, precision, confidence, growth, max_steps)
    return CapacitySearch(target, search, step=step, thresholds=thresholds, options=options).run(on_step, on_progress)


async def find_capacity_async(
    target: Any,
    *,
    thresholds: Iterable[Threshold | str] = DEFAULT_THRESHOLDS,
    start: float = 10.0,
    most: float = 100_000.0,
    step: float | timedelta = 5.0,
    precision: float = 0.05,
    confidence: float = 0.9,
    growth: float = 2.0,
    max_steps: int = 50,
    on_step: OnStep | None = None,
    on_progress: OnStepProgress | None = None,
    stop: asyncio.Event | None = None,
    **options: Any,
) -> Capacity:
    """`find_capacity` in this event loop; setting `stop` ends it at once and returns what is known so far."""
    search = Search(start, most, precision, confidence, growth, max_steps)
    made = CapacitySearch(target, search, step=step, thresholds=thresholds, options=options)
    return await made.run_async(on_step, on_progress, stop=stop)


def _seen(steps: list[CapacityStep]) -> list[Observation]:
    return [Observation(one.rate, one.outcome, one.reason) for one in steps]


def _usual(steps: list[CapacityStep]) -> float | None:
    medians = [float(one.result.service_time.percentile(50.0)) for one in steps if one.outcome == "passed"]
    return min(medians, default=None)
