"""Measures one area in this process: `python -m benchmarks._measure AREA`, JSON on standard output.

Every answer is checked first; then the cases take turns in small batches, so that a machine that changes its speed
changes it for all of them; last, each object must have counted exactly what it was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import gc
import importlib
import inspect
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from time import monotonic

from benchmarks._case import Case, Missing, Probe, WrongAnswer
from benchmarks._rows import Row
from benchmarks._timing import Timer, timer_for

CLOCK = Case("reference", "python", "time.monotonic()", lambda: Probe("monotonic()", {"monotonic": monotonic}, bool))


@dataclass(frozen=True)
class Effort:
    """How much to measure: batches a case, and the seconds that one takes."""

    rounds: int
    batch: float
    crowd_batch: float


THOROUGH = Effort(rounds=101, batch=1e-3, crowd_batch=24e-3)
QUICK = Effort(rounds=3, batch=2e-4, crowd_batch=4e-3)


@dataclass
class Running:
    """A case under way."""

    case: Case
    timer: Timer
    samples: list[float]


def prepared(case: Case, effort: Effort, runner: asyncio.Runner) -> Running:
    """Build the case, check its answer, choose the size of its batches."""
    made = case.make()
    probe: Probe = runner.run(made) if inspect.isawaitable(made) else made  # type: ignore[arg-type]
    before = probe.counted() if probe.counted else 0
    check_answer(probe, runner)
    if probe.counted and probe.counted() - before != probe.step:
        raise WrongAnswer(f"one execution counted {probe.counted() - before}, expected {probe.step}")
    timer = timer_for(case, probe, runner)
    timer.calibrate((effort.crowd_batch if case.how == "threads" else effort.batch) * case.longer)
    return Running(case, timer, [])


def check_answer(probe: Probe, runner: asyncio.Runner) -> None:
    """One execution, and whether its value is right."""

    async def awaited(awaitable: object) -> object:
        return await awaitable  # type: ignore[misc]

    value = probe.answer(lambda awaitable: runner.run(awaited(awaitable)))
    if not probe.holds(value):
        raise WrongAnswer(f"{probe.statement} answered {value!r}")


def check_total(running: Running, counted: int, runner: asyncio.Runner) -> None:
    """After timing: all executions were counted, and the answer is still right."""
    probe, executions = running.timer.probe, running.timer.executions
    if probe.counted and (told := probe.counted() - counted) != executions * probe.step:
        raise WrongAnswer(f"{executions} executions counted {told}, expected {executions * probe.step}")
    check_answer(probe, runner)


def measure(running: list[Running], rounds: int) -> None:
    """All cases in turn, `rounds` times."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for turn in range(rounds):
            # Neighbours share caches and a timer tick; they should not always be the same.
            for one in running[turn % len(running) :] + running[: turn % len(running)]:
                one.samples.append(one.timer())
    finally:
        gc.enable()
        gc.unfreeze()


def row_of(running: Running, reference: Running) -> Row:
    """The medians, and the quartiles of the ratios batch by batch."""
    case = running.case
    seconds, base = statistics.median(running.samples), statistics.median(reference.samples)
    ratios = [mine / its for mine, its in zip(running.samples, reference.samples, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    row = Row(case.group, case.library, case.call, seconds * 1e9, seconds / base, low, high, of=case.of)
    if case.target is not None:
        value = case.target.value(seconds, base)
        row.target, row.reached, row.value = str(case.target), case.target.holds(value), case.target.tell(value)
    return row


def run(area: str, pattern: str, effort: Effort) -> list[Row]:
    """Measure the cases of an area whose name matches."""
    found = importlib.import_module(f"benchmarks.areas.{area}").cases()
    cases = [case for case in found if isinstance(case, Case)]
    chosen = [case for case in cases if fnmatch.fnmatch(case.name.lower(), pattern.lower())]
    needed = {case.of for case in chosen}
    rows = [Row.missing(each) for each in found if isinstance(each, Missing)]
    if not chosen:
        return rows
    running: list[Running] = []
    counted: dict[str, int] = {}
    with asyncio.Runner() as runner:
        for case in [CLOCK, *[case for case in cases if case in chosen or case.name in needed]]:
            try:
                one = prepared(case, effort, runner)
            except WrongAnswer as wrong:
                rows.append(Row.wrong(case, str(wrong)))
                continue
            one.timer.executions = 0
            counted[case.name] = one.timer.probe.counted() if one.timer.probe.counted else 0
            running.append(one)
        measure(running, effort.rounds)
        by_name = {one.case.name: one for one in running}
        for one in running[1:]:
            try:
                check_total(one, counted[one.case.name], runner)
                rows.append(row_of(one, by_name[one.case.of or CLOCK.name]))
            except WrongAnswer as wrong:
                rows.append(Row.wrong(one.case, str(wrong)))
        rows.append(row_of(running[0], running[0]))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("area")
    parser.add_argument("--only", default="*")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rows = run(options.area, options.only, QUICK if options.quick else THOROUGH)
    json.dump([asdict(row) for row in rows], sys.stdout)


if __name__ == "__main__":
    main()
