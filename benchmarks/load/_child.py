"""`python -m benchmarks.load._child WHAT JSON`: one run of our own generator; writes what it found as JSON.

A process for each run: what it used and how large it grew is then its own.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.load import _blocks, _dropping, _targets
from benchmarks.load._told import PERCENTS
from seawall.measure import Closed, Constant, Histogram, LoadResult, LoadTest

Facts = dict[str, Any]


def load(url: str, **asked: Any) -> Facts:
    """A load test of a URL."""
    return _facts(_test(url, asked), every=asked.get("every"))


def calls(kind: str, **asked: Any) -> Facts:
    """A load test of a callable."""
    return {**_facts(_test(getattr(_targets, kind), asked), every=None), "counted": _targets.calls().value}


def dropping(**asked: Any) -> Facts:
    """An open model that makes no request that finds all users waiting."""
    result, times = _dropping.dropping(**asked)
    made = {"completed": int(times.count), "response": percentiles(times)}
    return {**made, "planned": result.planned, "dropped": result.outcomes.get("dropped", 0)}


def _test(target: Any, asked: Facts) -> LoadTest:
    pattern = Closed(asked["users"], asked.get("think", 0.0)) if "users" in asked else Constant(asked["rate"])
    options = {name: asked[name] for name in _OPTIONS if name in asked}
    return LoadTest(target, pattern, duration=asked["seconds"], **options)


_OPTIONS = ("max_concurrency", "engine", "workers", "timeout", "interval")


def _facts(test: LoadTest, *, every: float | None) -> Facts:
    before, small = _cpu(), _memory("VmRSS")
    result = test.run()
    return {
        "completed": result.completed,
        "sent": result.sent,
        "planned": result.planned,
        "dropped": result.dropped,
        "failed": result.completed - result.succeeded,
        "seconds": result.duration,
        "cpu": _cpu() - before,
        "valid": result.verdict.valid,
        "verdict": str(result.verdict),
        "engine": result.scenarios[0].engine,
        "response": percentiles(result.response_time),
        "service": percentiles(result.service_time),
        "schedule": percentiles(result.schedule_error),
        "each_second": [result.throughput.planned, result.throughput.sent],
        "corrected": percentiles(corrected(result, every)) if every else {},
        "memory_before": small,
        "memory": _memory("VmHWM"),
    }


def corrected(result: LoadResult, every: float) -> Histogram:
    """Service times as HdrHistogram corrects them: one longer than `every` brings those not sent meanwhile."""
    times, made = result.service_time, Histogram()
    edges, counts = times.edges(), times.counts()
    for place in counts.nonzero()[0]:
        for _ in range(int(counts[place])):
            made.record_corrected(float(edges[place : place + 2].mean()), every)
    return made


def percentiles(times: Histogram) -> dict[str, float]:
    """By percent, as text; 100 is the greatest. Empty for an empty histogram."""
    if not times.count:
        return {}
    return {f"{percent:g}": times.percentile(percent) for percent in PERCENTS} | {"100": times.max}


def _cpu() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def _memory(name: str) -> float:
    # ru_maxrss would be that of the parent, if it was larger before exec.
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024.0


WHAT: dict[str, Callable[..., Facts]] = {
    "load": load,
    "calls": calls,
    "bare": _blocks.bare,
    "blocks": _blocks.blocks,
    "record": _blocks.record,
    "dropping": dropping,
}

if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(json.dumps(WHAT[sys.argv[1]](**json.loads(sys.argv[2]))))
