"""A comparison as JSON and as Markdown."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from seawall.measure.load.comparison._comparison import Comparison, Difference


def as_json(comparison: Comparison) -> str:
    """One object; null stands where there is no number."""
    sides = ("a", "b")
    facts = {
        "verdict": comparison.verdict,
        "exit_code": comparison.exit_code,
        "tolerance": comparison.tolerance,
        "confidence": comparison.confidence,
        "runs": dict(zip(sides, comparison.runs, strict=True)),
        "errors": {side: _number(share) for side, share in zip(sides, comparison.errors, strict=True)},
        "differences": [{name: _number(value) for name, value in asdict(d).items()} for d in comparison.differences],
        "doubts": list(comparison.doubts),
        "notes": list(comparison.notes),
        "curves": dict(zip(sides, comparison.curves, strict=True)),
    }
    return json.dumps(facts, indent=2, allow_nan=False)


def as_markdown(comparison: Comparison) -> str:
    """Verdict, table, doubts and notes."""
    a, b = (
        f"{side} ({runs} {'run' if runs == 1 else 'runs'})" for side, runs in zip("ab", comparison.runs, strict=True)
    )
    before, after = ("-" if math.isnan(share) else f"{share:.2%}" for share in comparison.errors)
    lines = [
        f"### Load tests compared: **{comparison.verdict}** (tolerance {comparison.tolerance * 100:g} %)",
        "",
        f"| | {a} | {b} | change | interval at {comparison.confidence * 100:g} % | verdict |",
        "|---|--:|--:|--:|--:|---|",
        *(_row(one) for one in comparison.differences),
        f"| errors | {before} | {after} | | | |",
    ]
    told = [*comparison.doubts, *comparison.notes]
    return "\n".join([*lines, *([""] if told else []), *(f"- {one}" for one in told), ""])


def _row(one: Difference) -> str:
    cells = ["-"] * 4
    if not math.isnan(one.change):
        cells = [_time(one.a), _time(one.b), f"{one.change:+.1%}", f"{one.low:+.1%} to {one.high:+.1%}"]
    word = one.verdict if one.verdict == "same" else f"**{one.verdict}**"
    return f"| {' | '.join([f'P{one.percentile:g}', *cells, word])} |"


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:,.2f} ms" if seconds < 10 else f"{seconds:,.1f} s"


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
