"""`python -m benchmarks.load`: the load generator against wrk, Locust and arithmetic, on the loopback interface only.

Each generator runs in a process of its own, on another processor than the server; the server's own count of requests is
compared with what each generator tells before a number is used.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks._case import WrongAnswer
from benchmarks._chart import chart
from benchmarks._machine import machine_line
from benchmarks.load import callables, full_speed, generators, honesty, memory
from benchmarks.load._section import Section
from benchmarks.load._sizes import FULL, QUICK
from benchmarks.load._wrk import version

AREAS = {
    "full_speed": full_speed,
    "honesty": honesty,
    "generators": generators,
    "callables": callables,
    "memory": memory,
}
PAGE = Path(__file__).resolve().parent.parent / "results" / "load.md"
_UNITS = {"P95 told of a stall": "ms", "one process at full speed": "requests/s"}


def document(sections: list[Section], took: float, *, has_chart: bool) -> str:
    """The Markdown page."""
    where = ", ".join(filter(None, [machine_line(["seawall", "aiohttp", "locust"]), version()]))
    lines = ["# load", "", where, ""]
    lines += [f"Written by `python -m benchmarks.load --write` in {took / 60:.1f} minutes. {_read()}", ""]
    if has_chart:
        lines += ["![load: ours against others](load.svg)", ""]
    for section in sections:
        lines += section.markdown()
    return "\n".join(lines).rstrip() + "\n"


def _read() -> str:
    return " ".join((__doc__ or "").split("\n\n", 1)[1].split())


def write(sections: list[Section], took: float) -> None:
    """Rewrite the page and its chart."""
    drawn = chart([bar for section in sections for bar in section.bars], _UNITS)
    if drawn is not None:
        PAGE.with_suffix(".svg").write_text(drawn)
    PAGE.write_text(document(sections, took, has_chart=drawn is not None))


def options() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--write", action="store_true", help="rewrite benchmarks/results/load.md")
    parser.add_argument("--area", choices=AREAS, action="append", help="only this area; may be repeated")
    parser.add_argument("--quick", action="store_true", help="check all answers in seconds; no numbers to keep")
    asked = parser.parse_args()
    if asked.write and (asked.quick or asked.area):
        parser.error("--write keeps whole, thorough runs: leave out --quick and --area")
    return asked


def main() -> int:
    """Exit 1 when an answer is wrong; a missed target only shows."""
    if sys.platform != "linux":
        print("benchmarks.load needs Linux (epoll, /proc)")
        return 0
    asked, console, began = options(), Console(), time.monotonic()
    if not console.is_terminal:
        console = Console(width=160)
    sections: list[Section] = []
    wrong = 0
    for name in asked.area or AREAS:
        try:
            found = AREAS[name].measure(QUICK if asked.quick else FULL)
        except WrongAnswer as why:
            console.print(f"[red]{name}: wrong answer: {why}")
            wrong += 1
            continue
        sections += found
        for section in found:
            _show(console, section, judged=not asked.quick)
    took = time.monotonic() - began
    console.print(f"{wrong} wrong answers, {took:.0f} s")
    if asked.write and not wrong:
        write(sections, took)
        console.print(f"written: {PAGE}")
    return 1 if wrong else 0


def _show(console: Console, section: Section, *, judged: bool) -> None:
    console.print(section.table())
    for target in section.targets if judged else ():
        console.print(f"- {target}", style=None if target.reached else "yellow", highlight=False)
    for note in section.notes:
        console.print(f"- {note}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
