"""What hedging does for the slowest calls: a real server that is slow for one request in a hundred, asked twice.

`python -m benchmarks.hedged` sends the same load without and with a hedge, each to a server of its own. It exits 1 when
P99.9 is not ten times lower (three times, for a learnt time) or the server was asked more than 2 % oftener. `--quick`
takes 20 seconds and checks only that every call was answered and that the budget held.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import aiohttp

import seawall as sw

USUAL, SLOW = 0.005, 1.0
BUDGET = 0.02


class Row(NamedTuple):
    """One run: seconds, and how often the server was asked."""

    name: str
    calls: int
    asked: int
    failed: int
    p50: float
    p99: float
    p999: float
    most: float

    def line(self) -> str:
        """As a row of the table."""
        times = (f"{seconds * 1e3:.1f}" for seconds in (self.p50, self.p99, self.p999, self.most))
        return f"| {self.name} | {self.calls:,} | {self.asked:,} | {' | '.join(times)} |"


@contextmanager
def server(seed: int) -> Iterator[str]:
    """The address of a server of its own process."""
    command = [sys.executable, "-m", "benchmarks._slow_one_in_a_hundred", str(USUAL), str(SLOW), str(seed)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


HEDGES: dict[str, Callable[[], sw.Hedge]] = {
    "`Hedge(0.05, budget=0.02)`": lambda: sw.Hedge(0.05, idempotent=True, budget=BUDGET),
    # Learnt times are shorter, so that a busy machine makes many calls slow at once: the same share, over a minute.
    "`Hedge(Quantile(0.985), budget=RetryBudget(0.02, min_per_second=0, window=60))`": lambda: sw.Hedge(
        sw.Quantile(0.985), idempotent=True, budget=sw.RetryBudget(BUDGET, min_per_second=0, window=60)
    ),
}


async def ask(name: str, address: str, rate: float, seconds: float, hedge: sw.Hedge | None) -> Row:
    """One load in an open model, so that slow calls hold up no others; the first calls teach and are not told."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def get() -> bool:
            async with session.get(address) as response:
                return bool(await response.text())

        target: Any = get if hedge is None else hedge(get)
        result = await sw.LoadTest(
            target, sw.Constant(rate), duration=seconds, warmup=2.0, arrivals="poisson", seed=11
        ).run_async()
        async with session.get(f"{address}/count") as response:
            asked = int(await response.text())
    times, outcomes = result.response_time, result.outcomes
    made = asked if hedge is None else hedge.stats().calls
    return Row(
        name, made, asked, sum(outcomes.values()) - outcomes.get("ok", 0), *times.percentiles((50, 99, 99.9)), times.max
    )


NEEDED = dict(zip(HEDGES, (10, 3), strict=True))  # times lower; a busy machine spends the budget of learnt times


def main(arguments: list[str]) -> int:
    """Run, tell, and judge."""
    quick = "--quick" in arguments
    rate, seconds = (100.0, 5.0) if quick else (200.0, 60.0)
    with server(1) as address:
        bare = asyncio.run(ask("without", address, rate, seconds, None))
    print(
        "| | calls | requests the server saw | P50 ms | P99 ms | P99.9 ms | longest ms |\n|---|---|---|---|---|---|---|"
    )
    print(bare.line(), flush=True)
    right = bare.failed == 0 and bare.asked == bare.calls
    for name, make in HEDGES.items():
        hedge = make()
        with server(1) as address:
            row = asyncio.run(ask(name, address, rate, seconds, hedge))
        more, less = row.asked / row.calls - 1, bare.p999 / row.p999
        print(
            row.line(),
            hedge.stats(),
            f"P99.9 {less:.1f} times lower for {more:.2%} more requests",
            sep="\n",
            flush=True,
        )
        right &= row.failed == 0 and more <= BUDGET and (quick or less >= NEEDED[name])
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
