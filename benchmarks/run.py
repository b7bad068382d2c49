"""`python -m benchmarks.run`: measures all areas, each in a process of its own, and shows what calls cost."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from rich.console import Console

from benchmarks._report import table
from benchmarks._rows import Row
from benchmarks._write import write
from benchmarks.areas import AREAS


def measured(area: str, only: str, quick: bool) -> list[Row]:
    """The rows of an area, measured in a process that does nothing else."""
    command = [sys.executable, "-m", "benchmarks._measure", area, "--only", only, *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return [Row(**row) for row in json.loads(done.stdout)]


def options() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--write", action="store_true", help="rewrite benchmarks/results")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="cases whose name matches, such as '*Bucket*'")
    parser.add_argument("--area", choices=AREAS, action="append", help="only this area; may be repeated")
    parser.add_argument("--quick", action="store_true", help="check all answers and time hardly; no numbers to keep")
    asked = parser.parse_args()
    if asked.write and (asked.quick or asked.only != "*"):
        parser.error("--write keeps whole, thorough runs: leave out --quick and --only")
    return asked


def main() -> int:
    """Exit 1 when an answer is wrong; a missed target only shows."""
    asked, console = options(), Console()
    wrong = missed = 0
    for area in asked.area or AREAS:
        rows = measured(area, asked.only, asked.quick)
        console.print(table(area, rows))
        wrong += sum(row.is_wrong for row in rows)
        missed += sum(not row.reached for row in rows)
        if asked.write and not any(row.is_wrong for row in rows):
            console.print(f"written: {', '.join(map(str, write(area, rows)))}")
    console.print(f"{wrong} wrong answers, {missed} targets missed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
