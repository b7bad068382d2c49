"""`python -m benchmarks.instructions`: counts the instructions of each hot kernel operation and compares.

Time depends on the machine and what else it does; instructions do not. They do depend on the compiler, so
`benchmarks/results/instructions.json` keeps the counts of each compiler by itself.
"""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from benchmarks._callgrind import ROOT, build, compiler, count

KEPT = ROOT / "benchmarks" / "results" / "instructions.json"
MOST_GROWTH = 0.05

Counts = dict[str, float]


def grown(now: Counts, kept: Counts) -> list[str]:
    """The operations that cost noticeably more than they did."""
    return [name for name, cost in now.items() if name in kept and cost > kept[name] * (1 + MOST_GROWTH)]


def gone(now: Counts, kept: Counts) -> list[str]:
    """The operations that are no longer counted."""
    return [name for name in kept if name not in now]


def table(now: Counts, kept: Counts) -> Table:
    """Every operation, then and now."""
    shown = Table("operation", title=f"instructions an operation, {compiler()}", title_justify="left")
    for column in ("kept", "now", "change"):
        shown.add_column(column, justify="right")
    worse = grown(now, kept)
    for name, cost in now.items():
        if name not in kept:
            shown.add_row(name, "", f"{cost:,.1f}", "new")
            continue
        style = "bold red" if name in worse else None
        shown.add_row(name, f"{kept[name]:,.1f}", f"{cost:,.1f}", f"{cost / kept[name] - 1:+.1%}", style=style)
    for name in gone(now, kept):
        shown.add_row(name, f"{kept[name]:,.1f}", "", "gone", style="bold red")
    return shown


def judge(now: Counts, kept: Counts | None, console: Console) -> int:
    """Say what changed; 1 when something grew or went."""
    console.print(table(now, kept or {}))
    if kept is None:
        console.print(f"{KEPT.name} has no counts of {compiler()}: nothing was compared. --write adds them.")
        return 0
    for name in grown(now, kept):
        growth = f"{kept[name]:,.1f} to {now[name]:,.1f}"
        console.print(f"{name} grew from {growth} instructions, by more than {MOST_GROWTH:.0%}", style="red")
    for name in gone(now, kept):
        console.print(f"{name} is kept but no longer counted", style="red")
    if grown(now, kept) or gone(now, kept):
        console.print("Find out why; if it must be, --write keeps the new counts.")
        return 1
    return 0


def main() -> int:
    """Exit 1 when an operation grew by more than five in a hundred."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {KEPT.relative_to(ROOT)}")
    asked, console = parser.parse_args(), Console()
    kept: dict[str, Counts] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    now = count(build())
    if asked.write:
        console.print(table(now, kept.get(compiler(), {})))
        KEPT.write_text(json.dumps({**kept, compiler(): now}, indent=1, sort_keys=True) + "\n")
        return 0
    return judge(now, kept.get(compiler()), console)


if __name__ == "__main__":
    sys.exit(main())
