"""Load tests inside of tests: run, judged, kept for the summary."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seawall.measure.load import PERCENTILES, LoadResult, LoadTest, Pattern, Threshold
from seawall.testing._hurried import Hurried

Duration = float | timedelta


class LoadTester:
    """Runs load tests for a test, which fails with the numbers where one fails.

    Args:
        node: The pytest node whose test it is.
        scale: Share of the durations to run for, above 0 and at most 1.
        folder: Where results are written; None for nowhere.
    """

    def __init__(self, node: pytest.Item, *, scale: float = 1.0, folder: Path | None = None) -> None:
        self._node = node
        self._scale = scale
        self._folder = folder
        self._runs = 0

    def __call__(
        self,
        target: Any,
        pattern: Pattern,
        *,
        duration: Duration,
        thresholds: Iterable[Threshold | str] = (),
        require_valid: bool = True,
        **options: Any,
    ) -> LoadResult:
        """Run a load test and fail this test where it fails; the arguments are those of seawall.LoadTest.

        Args:
            target: Where requests go.
            pattern: How many requests a second, when.
            duration: Length of the plan.
            thresholds: What the run must keep.
            require_valid: Whether the test also fails where the generator was the bottleneck.
            options: Further options of LoadTest.

        Raises:
            Failed: pytest's own: a threshold failed, the generator was the bottleneck, or nothing was reached.
            KeyboardInterrupt: It was interrupted.
            RuntimeError: Called from a running event loop; await `run_async` there.
        """
        __tracebackhide__ = True
        test = self._test(target, pattern, duration, thresholds, options)
        return self._judge(test, test.run(), require_valid=require_valid)

    async def run_async(
        self,
        target: Any,
        pattern: Pattern,
        *,
        duration: Duration,
        thresholds: Iterable[Threshold | str] = (),
        require_valid: bool = True,
        **options: Any,
    ) -> LoadResult:
        """The same in the event loop of an async test."""
        __tracebackhide__ = True
        test = self._test(target, pattern, duration, thresholds, options)
        return self._judge(test, await test.run_async(), require_valid=require_valid)

    def _test(
        self,
        target: Any,
        pattern: Pattern,
        duration: Duration,
        thresholds: Iterable[Threshold | str],
        options: dict[str, Any],
    ) -> LoadTest:
        # What can never work is refused as it was written, before it is made shorter.
        test = LoadTest(target, pattern, duration=duration, thresholds=thresholds, **options)
        if self._scale == 1.0:
            return test
        shorter = max(test.plan.duration * self._scale, 0.001)
        hurried = Hurried(pattern, shorter / test.plan.duration)
        scaled = {name: _scaled(options[name], self._scale) for name in ("warmup",) if name in options}
        return LoadTest(target, hurried, duration=shorter, thresholds=test.thresholds, **{**options, **scaled})

    def _judge(self, test: LoadTest, result: LoadResult, *, require_valid: bool) -> LoadResult:
        __tracebackhide__ = True
        if result.interrupted and result.aborted is None and not result.unreachable:
            # The generator makes a result of Ctrl-C, but a test run has to end.
            raise KeyboardInterrupt
        problems = problems_of(test, result, require_valid=require_valid)
        self._keep(test, result, problems)
        if problems:
            pytest.fail(message(test, result, problems))
        return result

    def _keep(self, test: LoadTest, result: LoadResult, problems: list[str]) -> None:
        self._runs += 1
        file = None
        if self._folder is not None:
            file = self._folder / file_name(self._node.nodeid, self._runs)
            facts = {"test": self._node.nodeid, "run": self._runs, "passed": not problems}
            file.write_text(json.dumps({**facts, **json.loads(result.to_json())}, indent=2) + "\n")
        # As a property of the test it reaches the summary from the workers of pytest-xdist too.
        row = summary_row(test, result, problems)
        row["file"] = None if file is None else file.name
        self._node.user_properties.append(("seawall_load_test", row))


def problems_of(test: LoadTest, result: LoadResult, *, require_valid: bool) -> list[str]:
    """Why the load test fails; nothing where it does not."""
    if result.unreachable:
        return [f"nothing could be reached: {result.first_error}"]
    if not result.planned:
        return ["no request was due: raise the rate or the duration"]
    pairs = zip(test.thresholds, result.thresholds, strict=True)
    problems = [f"{one.text} was not kept: {one.show(kept.measured)}" for one, kept in pairs if not kept.passed]
    if require_valid and not result.verdict.valid:
        problems.append(str(result.verdict))
    return problems


def message(test: LoadTest, result: LoadResult, problems: list[str]) -> str:
    """All that is needed to see why, in lines of text."""
    lines = [f"load test failed: {'; '.join(problems)}", f"  test       {_title(test)}"]
    for one, kept in zip(test.thresholds, result.thresholds, strict=True):
        lines.append(f"  threshold  {one.text}: {one.show(kept.measured)} {'ok' if kept.passed else 'FAILED'}")
    lines += [
        f"  verdict    {result.verdict}",
        f"  requests   {result.sent:,} of {result.planned:,} planned, {result.late:,} late, "
        f"{result.dropped:,} never sent, in {result.duration:.1f} s",
        f"  outcomes   {', '.join(f'{kind} {count:,}' for kind, count in result.outcomes.items()) or 'none'}",
        f"  times      {_percentiles(result)}",
    ]
    if result.first_error is not None:
        lines.append(f"  error      {result.first_error}")
    return "\n".join(lines)


def summary_row(test: LoadTest, result: LoadResult, problems: list[str]) -> dict[str, Any]:
    """A load test in plain values that travel between processes."""
    times = result.response_time
    return {
        "title": _title(test),
        "passed": not problems,
        "problems": problems,
        "completed": result.completed,
        "failed": result.completed - result.succeeded,
        "p50": float(times.percentile(50.0)) if times.count else None,
        "p99": float(times.percentile(99.0)) if times.count else None,
    }


def file_name(nodeid: str, run: int) -> str:
    """The same for the same test in every session, so that results of two sessions can be compared."""
    readable = re.sub(r"[^\w.-]+", "_", nodeid)[-120:]
    return f"{readable}-{zlib.crc32(nodeid.encode()):08x}-{run}.json"


def _scaled(duration: Duration, scale: float) -> Duration:
    return duration * scale


def _title(test: LoadTest) -> str:
    return f"{test.settings.describe()} for {test.plan.duration:g} s, {test.target}"


def _percentiles(result: LoadResult) -> str:
    times = result.response_time
    if not times.count:
        return "none"
    values = zip(PERCENTILES, times.percentiles(list(PERCENTILES)), strict=True)
    return ", ".join([*(f"P{p:g} {_ms(value)}" for p, value in values), f"max {_ms(times.max)}"])


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.2f} ms"
