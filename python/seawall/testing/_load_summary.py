"""The load tests of a session, in a few lines and in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def lines(rows: list[Row]) -> list[str]:
    """A line for each load test, and what went wrong below it."""
    shown = []
    for row in rows:
        times = "" if row["p99"] is None else f", P50 {row['p50'] * 1e3:,.2f} ms, P99 {row['p99'] * 1e3:,.2f} ms"
        counts = f"{row['completed']:,} requests, {row['failed']:,} failed{times}"
        shown.append(f"{'ok    ' if row['passed'] else 'FAILED'} {row['test']}: {row['title']}: {counts}")
        shown += [f"       {problem}" for problem in row["problems"]]
    return shown


def write(folder: Path, rows: list[Row]) -> None:
    """All of them in `summary.json`, beside a file for each."""
    (folder / "summary.json").write_text(json.dumps({"load_tests": rows}, indent=2) + "\n")
