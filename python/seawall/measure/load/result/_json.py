"""A load test's result as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, write_hlog
from seawall.measure.load.result._parts import Generator, Part

if TYPE_CHECKING:
    from seawall.measure.load.result._result import LoadResult

PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)
SCHEMA = 1
WORDS = ("target", "pattern", "model", "began", "warmup")
COUNTS = ("planned", "sent", "completed", "succeeded", "late", "dropped", "interrupted", "duration", "seed")
SERIES = ("interval", "planned", "sent", "completed", "succeeded", "bytes", "late", "slowest")
TIMES = ("response_time", "service_time", "schedule_error")
PART = ("name", "engine", "start", "duration", "counted")
PART_COUNTS = ("planned", "sent", "completed", "succeeded", "late", "dropped", "bytes")
GENERATOR = ("cpu", "waited", "processes", "lost")
# What the lines of a log cannot say exactly.
EXACT = ("sum_ns", "min_ns", "max_ns", "clipped")


def write(result: LoadResult) -> str:
    """The result as the text of a JSON object."""
    return json.dumps(facts(result), indent=2)


def facts(result: LoadResult) -> dict[str, Any]:
    """The result as what JSON is made of."""
    verdict, generator = result.verdict, result.generator
    return {
        "schema": SCHEMA,
        **{name: getattr(result, name) for name in (*WORDS, *COUNTS)},
        "outcomes": dict(result.outcomes),
        "first_error": result.first_error,
        "errors": dict(result.errors),
        "verdict": {
            "valid": verdict.valid,
            "cause": None if verdict.valid else verdict.cause,
            "reasons": list(verdict.reasons),
        },
        **{name: summary(getattr(result, name)) for name in TIMES},
        "throughput": {name: getattr(result.throughput, name) for name in SERIES},
        "thresholds": [{"text": one.text, "measured": one.measured, "passed": one.passed} for one in result.thresholds],
        "aborted": result.aborted,
        "scenarios": [_part(part) for part in result.scenarios],
        "phases": [_part(part) for part in result.phases],
        "notes": [note.facts() for note in result.notes],
        "generator": None if generator is None else _generator(generator),
        "plan": result.plan,
        "blocks": write_hlog(result.blocks).splitlines(),
        "blocks_exact": [_exact_block(block) for block in result.blocks],
    }


def summary(times: Histogram) -> dict[str, Any]:
    """Count, percentiles and extremes of a histogram, in seconds, and the histogram itself."""
    known: dict[str, Any] = {"count": times.count}
    if times.count:
        values = zip(PERCENTILES, times.percentiles(list(PERCENTILES)), strict=True)
        known.update((f"p{p:g}", float(value)) for p, value in values)
        known.update(min=times.min, max=times.max, mean=times.mean)
    # An empty one says its layout: lowest, highest, digits.
    return known | {"hlog": times.to_hlog().splitlines()[-1].rpartition(",")[2], **_exact(times)}


def _exact(times: Histogram) -> dict[str, Any]:
    return dict(zip(EXACT, times._summary(), strict=True)) if times.count else {}


def _exact_block(block: HlogInterval) -> dict[str, Any]:
    return {"start": block.start, "duration": block.duration, **_exact(block.histogram)}


def _part(part: Part) -> dict[str, Any]:
    return {
        **{name: getattr(part, name) for name in (*PART, "ended", *PART_COUNTS)},
        "outcomes": dict(part.outcomes),
        "response_time": summary(part.response_time),
        "service_time": summary(part.service_time),
    }


def _generator(generator: Generator) -> dict[str, Any]:
    return {**{name: getattr(generator, name) for name in GENERATOR}, "lag": summary(generator.lag)}
