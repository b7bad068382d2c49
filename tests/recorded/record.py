"""Records what detectors are measured on: `python -m tests.recorded.record [SECONDS]`.

Two load tests call the demo's payments service, one evenly by chance and one in a rhythm, while a task of the same
process looks at the machine. Every half second becomes a line of `service.csv`.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

import seawall as sw
from seawall.cli.demo._settings import Settings, Trouble
from seawall.clock import SystemClock

FILE = Path(__file__).with_name("service.csv")
STEP = 0.5
PERIOD = 30.0
PAGE = os.sysconf("SC_PAGE_SIZE")


class Side:
    """One kind of call and how long the answers of this half second took."""

    def __init__(self, session: aiohttp.ClientSession, path: str) -> None:
        self.session, self.path = session, path
        self.times = sw.Histogram()

    async def call(self) -> None:
        """One call."""
        began = asyncio.get_running_loop().time()
        async with self.session.get(self.path) as answer:
            await answer.read()
        self.times.record(asyncio.get_running_loop().time() - began)

    def row(self) -> list[float]:
        """Rate and two percentiles since the last row; nan where nothing was answered."""
        took = self.times.swap()
        return [took.count / STEP, took.percentile(50), took.percentile(95)]


def machine_cpu() -> tuple[float, float]:
    """Ticks that the machine's processors worked, and all of them."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def resident(pid: int) -> float:
    """MiB that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


async def watch(sides: list[Side], pid: int, rows: list[list[float]]) -> None:
    """A row each half second, for ever."""
    clock, loop = SystemClock(), asyncio.get_running_loop()
    due, before = loop.time(), machine_cpu()
    while True:
        due += STEP
        late = 0.0
        while loop.time() < due:
            tick = loop.time() + 0.02
            await clock.sleep_async(0.02)
            late = max(late, loop.time() - tick)
        now = machine_cpu()
        busy = (now[0] - before[0]) / max(1, now[1] - before[1])
        before = now
        rows.append([*sides[0].row(), *sides[1].row(), busy, late, resident(pid)])


def payments() -> subprocess.Popen[str]:
    """The demo's service, in a process of its own."""
    command = [sys.executable, "-m", "seawall.cli.demo._payments"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def record(seconds: float) -> list[list[float]]:
    """The rows of a recording."""
    service = payments()
    assert service.stdin is not None
    assert service.stdout is not None
    rows: list[list[float]] = []
    try:
        port = json.loads(service.stdout.readline())["port"]
        settings: dict[str, Any] = asdict(Settings(duration=seconds * 10, trouble=Trouble(slower=1.0, share=0.0)))
        service.stdin.write(json.dumps({"settings": settings}) + "\n")
        service.stdin.flush()
        service.stdout.readline()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            sides = [Side(session, "/card"), Side(session, "/points")]
            watcher = asyncio.create_task(watch(sides, service.pid, rows))
            steady = sw.LoadTest(sides[0].call, sw.Constant(45), duration=seconds, arrivals="poisson", seed=6)
            rhythm = sw.LoadTest(
                sides[1].call, sw.Sine(10, 60, period=PERIOD), duration=seconds, arrivals="poisson", seed=7
            )
            await asyncio.gather(steady.run_async(), rhythm.run_async())
            watcher.cancel()
    finally:
        service.stdin.close()
        service.wait(10)
    return rows


HEAD = ["card_rate", "card_p50", "card_p95", "points_rate", "points_p50", "points_p95", "cpu", "loop_lag", "resident"]

if __name__ == "__main__":
    found = asyncio.run(record(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0))
    with FILE.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEAD)
        # The first and the last seconds belong to the generator's start and end.
        writer.writerows([f"{value:.4g}" for value in row] for row in found[4:-4])
