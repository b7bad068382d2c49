"""Timers. Each call of one times a batch and answers in seconds for one execution.

A statement is compiled into its own loop, as timeit does it, so that nothing but the statement is repeated and the
interpreter specialises it alone; a batch of the empty loop (or of the work that is not to be measured) is timed just
before and taken off.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import cycle, islice, repeat
from time import perf_counter

from benchmarks._case import Case, Probe

_LOOP = """
{define} timed(empty, calls, clock{names}):
    started = clock()
    for x in empty:
        {bare}
    between = clock()
    for x in calls:
        {statement}
    return clock() - between - (between - started)
"""
# A thread shows its own start and end; ten statements a turn make the loop itself negligible.
_SPAN = """
def span(turns, clock{names}):
    started = clock()
    for _ in turns:
        {statements}
    return started, clock()
"""
_UNROLLED = 10


def _compiled(source: str, function: str) -> Callable[..., object]:
    names: dict[str, Callable[..., object]] = {}
    exec(source, names)
    return names[function]


def _parameters(probe: Probe) -> str:
    return "".join(f", {name}" for name in probe.names if name != "x" or probe.over is None)


class Timer:
    """Times batches of `calls` executions of a probe."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.calls = 1
        self.executions = 0

    def __call__(self) -> float:
        """One batch: seconds for one execution (one value, where an execution handles several)."""
        if self.probe.reset is not None:
            self.probe.reset()
        self.executions += self.calls
        return self._batch() / (self.calls * self.probe.per)

    def _batch(self) -> float:
        raise NotImplementedError

    def calibrate(self, seconds: float) -> None:
        """Choose batches of about `seconds`, the empty loop included: a difference may come out as nothing."""
        while (spent := self._elapsed()) < seconds / 8 and self.calls < 1 << 24:
            self.calls *= 2
        # The first batches may have met cold caches, the last a busy processor; neither may decide by itself.
        spent = max(min(spent, self._elapsed()), seconds / 32)
        self.calls = max(1, round(self.calls * seconds / spent))

    def _elapsed(self) -> float:
        started = perf_counter()
        self()
        return perf_counter() - started


class LoopTimer(Timer):
    """A statement in a loop of this thread, or of a coroutine on `runner`."""

    def __init__(self, probe: Probe, runner: asyncio.Runner) -> None:
        super().__init__(probe)
        define = "async def" if probe.is_async else "def"
        source = _LOOP.format(define=define, names=_parameters(probe), bare=probe.bare, statement=probe.statement)
        self._timed = _compiled(source, "timed")
        self._runner = runner
        self._over = None if probe.over is None else cycle(probe.over)

    def _items(self) -> Iterator[object]:
        return repeat(None, self.calls) if self._over is None else islice(self._over, self.calls)

    def _batch(self) -> float:
        timed = self._timed(self._items(), self._items(), perf_counter, **self.probe.names)
        return self._runner.run(timed) if self.probe.is_async else timed  # type: ignore[arg-type,return-value]


class CrowdTimer(Timer):
    """Threads that execute a statement on one shared object: seconds from the first start to the last end."""

    def __init__(self, probe: Probe, workers: int) -> None:
        super().__init__(probe)
        statements = "; ".join([probe.statement] * _UNROLLED)
        names = "".join(f", {name}" for name in {**probe.names, **({} if probe.over is None else {"x": None})})
        self._span = _compiled(_SPAN.format(names=names, statements=statements), "span")
        self._gate = threading.Barrier(workers + 1)
        self._workers = workers
        self._spans: list[tuple[float, float]] = []
        items = [None] * workers if probe.over is None else list(islice(cycle(probe.over), workers))
        for x in items:
            threading.Thread(target=self._work, args=(x,), daemon=True).start()

    def _work(self, x: object) -> None:
        names = dict(self.probe.names)
        if self.probe.over is not None:
            names["x"] = x
        try:
            while True:
                self._gate.wait()
                turns = self.calls // (self._workers * _UNROLLED)
                self._spans.append(self._span(repeat(None, turns), perf_counter, **names))  # type: ignore[arg-type]
                self._gate.wait()
        except Exception:
            self._gate.abort()  # whoever waits for this thread must hear of it
            raise

    def _batch(self) -> float:
        self._spans.clear()
        self._gate.wait()
        self._gate.wait()
        return max(end for _, end in self._spans) - min(start for start, _ in self._spans)

    def calibrate(self, seconds: float) -> None:
        """Every thread gets whole turns."""
        whole = self._workers * _UNROLLED
        self.calls = whole * 50
        self.calls = whole * max(1, round(50 * seconds / max(self._elapsed(), seconds / 1_000)))


class ProcessTimer(Timer):
    """A whole interpreter that runs the program named `program`."""

    def _batch(self) -> float:
        started = perf_counter()
        subprocess.run([sys.executable, "-c", str(self.probe.names["program"])], check=True)
        return perf_counter() - started

    def calibrate(self, seconds: float) -> None:  # noqa: ARG002 - there is nothing to choose
        """One process a batch, whatever it takes; the first fills the caches of bytecode and files."""
        self()


def timer_for(case: Case, probe: Probe, runner: asyncio.Runner) -> Timer:
    """The timer that the case asks for."""
    if case.how == "threads":
        return CrowdTimer(probe, case.workers)
    return ProcessTimer(probe) if case.how == "process" else LoopTimer(probe, runner)
