"""As fast as one thread can: wrk and ours in turns, and the open model at a share of that speed."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.load import _truth
from benchmarks.load._ours import by_percent, load, run_of
from benchmarks.load._section import Section, Target
from benchmarks.load._server import Server, serving
from benchmarks.load._sizes import Sizes
from benchmarks.load._told import Run
from benchmarks.load._words import against, many, spread, told
from benchmarks.load._wrk import MISSING, version, wrk

CONNECTIONS = 50
_SHARE = 0.6
_LEAST_OF_WRK, _MOST_OFF = 0.65, 0.001
# In the open model at full speed: long enough to be seen in the P99 of its run, and short enough to be caught up.
_STALL = 0.05


def measure(sizes: Sizes) -> list[Section]:
    """The closed model against wrk, then the open model at 60 % of the speed that was reached."""
    with serving() as server:
        closed, speed = _closed(sizes, server)
        return [closed, _open(sizes, server, speed)]


def _closed(sizes: Sizes, server: Server) -> tuple[Section, float]:
    section = Section(
        "Full speed",
        f"{CONNECTIONS} connections, one thread, the next request as soon as the answer is there; a server in C++ "
        "with one thread and one fixed answer, which has another processor where there are two. In turns, "
        f"{sizes.rounds} rounds of {sizes.seconds} s each; medians.",
        ["", "requests/s", "least - most", "CPU a request", "P50", "P99"],
    )
    has_wrk = version() is not None
    ours: list[Run] = []
    theirs: list[Run] = []
    for _ in range(sizes.rounds):
        ours.append(run_of(load(server, users=CONNECTIONS, seconds=sizes.own_seconds)))
        if has_wrk:
            theirs.append(wrk(server, CONNECTIONS, sizes.seconds))
    speed = median(run.rate for run in ours)
    for name, runs in (("seawall `Closed(50)`", ours), ("wrk", theirs)):
        if runs:
            section.add(name, *_cells(runs))
    if has_wrk:
        ratios = [a.rate / b.rate for a, b in zip(ours, theirs, strict=True)]
        ratio = speed / median(run.rate for run in theirs)
        words = f"{ratio:.2f} of wrk (round by round {min(ratios):.2f} - {max(ratios):.2f})"
        section.targets.append(Target(f"at least {_LEAST_OF_WRK} of wrk's requests/s", words, ratio >= _LEAST_OF_WRK))
    else:
        section.notes.append(MISSING)
    return section, speed


def _cells(runs: list[Run]) -> list[str]:
    rates = [run.rate for run in runs]
    times = [told(median(run.response[percent] for run in runs)) for percent in (50.0, 99.0)]
    return [many(median(rates)), spread(rates), told(median(run.cpu_each for run in runs)), *times]


def _open(sizes: Sizes, server: Server, speed: float) -> Section:
    rate = float(round(speed * _SHARE, -2))
    section = Section(
        "Open model at 60 % of that speed",
        f"`Constant({rate:,.0f})` for {sizes.open_seconds:g} s, evenly spaced. Start jitter is the time from when a "
        "request was due to when it was sent (`schedule_error`).",
        ["", "P50", "P90", "P99", "max"],
    )
    facts = load(server, rate=rate, seconds=sizes.open_seconds, max_concurrency=512)
    for name, times in (("start jitter", "schedule"), ("response time", "response"), ("service time", "service")):
        section.add(
            f"seawall {name}", *(told(by_percent(facts[times])[percent]) for percent in (50.0, 90.0, 99.0, 100.0))
        )
    whole, worst = rate_errors(facts)
    words = f"{whole:+.4%} over all whole seconds, {worst:.4%} in the worst of them"
    section.targets.append(Target("rate within 0.1 % of what was asked", words, worst <= _MOST_OFF))
    section.notes.append(f"The verdict on the generator: {facts['verdict']}")
    section.notes.append(_latency_under_load(sizes, server, rate, speed))
    return section


def rate_errors(facts: dict[str, Any]) -> tuple[float, float]:
    """By how much the rate was off, over all whole seconds of the plan and in the worst of them."""
    pairs = [(due, sent) for due, sent in zip(*facts["each_second"], strict=True) if due > 0]
    # The last slice of a plan of whole seconds is followed by one in which only answers came.
    worst = max(abs(sent / due - 1) for due, sent in pairs)
    return sum(sent for _, sent in pairs) / sum(due for due, _ in pairs) - 1, worst


def _latency_under_load(sizes: Sizes, server: Server, rate: float, speed: float) -> str:
    """The same rate with a stall, against what must come out of it where the line is caught up at full speed."""
    seconds = sizes.open_seconds
    server.stall(seconds / 3, _STALL)
    facts = load(server, rate=rate, seconds=seconds, max_concurrency=512)
    stall = server.tell()
    truth = _truth.percentiles(
        _truth.stalled(rate, seconds, 0.5 / rate + stall.stalled_from, stall.stalled_for, capacity=speed)
    )
    response = by_percent(facts["response"])
    shown = ", ".join(
        f"{name} {against(response[percent], truth[percent])}" for name, percent in (("P99", 99.0), ("max", 100.0))
    )
    return (
        f"With a stall of {told(stall.stalled_for)} at this rate, and a line behind it that is caught up at full speed,"
        f" the response time was {shown} (in brackets the error against arithmetic)"
    )
