"""One pattern of the demo: the same arrivals at a shop without guards, then at one with them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from seawall.cli.demo._customers import customers
from seawall.cli.demo._processes import Shop, shops
from seawall.cli.demo._settings import Settings
from seawall.cli.demo._verdict import Numbers, verdict
from seawall.measure import Histogram
from seawall.measure.load import LoadResult, LoadTest, OnProgress, Pattern

# Slices of a run; what is drawn has fewer.
_SLICES = 64
VARIANTS = ("plain", "guarded")
# Ends of a request that say at once: not now, come back later.
REFUSALS = ("status 429", "status 503")

Following = Callable[[LoadTest, str], AbstractContextManager[OnProgress]]


@dataclass(frozen=True, slots=True)
class Side:
    """What came of one variant under one pattern.

    Args:
        result: The load test's.
        times: How long successes took, in seconds.
        reduced: Successes without their optional part.
    """

    result: LoadResult
    times: Histogram
    reduced: int

    @property
    def refused(self) -> int:
        """Requests that were quickly told to come back later."""
        return sum(self.result.outcomes.get(kind, 0) for kind in REFUSALS)

    @property
    def failed(self) -> int:
        """Requests that ended badly, otherwise than refused."""
        return self.result.completed - self.result.succeeded - self.refused

    @property
    def let_in(self) -> int:
        """Requests that the bucket let in, as far as their answers came back."""
        answered = (n for kind, n in self.result.outcomes.items() if kind.startswith("status ") and kind != REFUSALS[0])
        return self.result.succeeded + sum(answered)

    def promised(self, settings: Settings) -> int:
        """The most that a full bucket may let in during the time that the run took."""
        return settings.burst + math.floor(settings.limit * self.result.duration)

    def numbers(self) -> Numbers:
        """What a verdict rests on."""
        p99 = self.times.percentile(99) if self.times.count else None
        return Numbers(self.result.sent, self.result.succeeded, self.refused, self.failed, p99)


@dataclass(frozen=True, slots=True)
class Round:
    """One pattern and what came of it, by variant; the second one is missing when the demo was cut short."""

    pattern: Pattern
    sides: dict[str, Side]

    @property
    def name(self) -> str:
        """The pattern's name."""
        return type(self.pattern).__name__.lower()

    @property
    def whole(self) -> bool:
        """Whether both variants had their whole run, and could be reached."""
        results = [side.result for side in self.sides.values()]
        return len(results) == len(VARIANTS) and not any(one.interrupted or one.unreachable for one in results)

    def verdict(self) -> str:
        """What the numbers of a whole round say."""
        return verdict(*(self.sides[variant].numbers() for variant in VARIANTS))


async def play(pattern: Pattern, settings: Settings, following: Following, stop: asyncio.Event) -> Round:
    """Both variants one after the other, so that neither takes the other's processor; each with fresh services."""
    sides: dict[str, Side] = {}
    async with shops(len(VARIANTS)) as started:
        for variant, shop in zip(VARIANTS, started, strict=True):
            if stop.is_set():
                break
            sides[variant] = side = await _one(variant, pattern, settings, shop=shop, following=following, stop=stop)
            if side.result.unreachable:
                break
    return Round(pattern, sides)


async def _one(
    variant: str, pattern: Pattern, settings: Settings, *, shop: Shop, following: Following, stop: asyncio.Event
) -> Side:
    url = f"{shop.shop.url}/{variant}"
    async with customers(url, patience=settings.patience) as visitors:
        test = LoadTest(
            visitors.visit,
            pattern,
            duration=settings.duration,
            arrivals="poisson",
            seed=settings.seed,
            max_concurrency=4096,
            timeout=settings.patience + 1,
            interval=max(settings.duration / _SLICES, 0.01),
        )
        await shop.begin(settings, test.event)
        with following(test, f"{pattern.describe()}, {variant}") as on_progress:
            result = await test.run_async(on_progress, stop=stop)
    return Side(replace(result, target=f"GET /{variant}"), visitors.times, visitors.reduced)
