"""`seawall baseline`: runs kept by name, to compare later runs with."""

from __future__ import annotations

import click
from rich import box
from rich.console import Console
from rich.table import Table

from seawall.cli._missing import folder_option
from seawall.cli._sides import side
from seawall.cli._words import usage_errors
from seawall.measure.load import Baseline, Baselines

keep_option = click.option("--keep", type=int, default=10, show_default=True, help="Runs to keep, new ones included.")
revision_option = click.option("--revision", help="Of the code under test, such as the commit; kept with the run.")


@click.group()
def baseline() -> None:
    """Keep runs by name in a folder, for `seawall compare --baseline NAME`."""


@baseline.command()
@click.argument("name")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@folder_option
@keep_option
@revision_option
def save(name: str, runs: tuple[str, ...], *, folder: str, keep: int, revision: str | None) -> None:
    """Add runs saved by `seawall load --json` to the baseline NAME.

    Exit codes: 0 saved, 2 bad usage, and nothing is saved.
    """
    with usage_errors():
        files = [file for word in runs for file in side(word)]
        saved = Baselines(folder).save(name, files, keep=keep, revision=revision)
    number = len(saved.runs)
    Console().print(f"baseline {name!r} has {number} {'run' if number == 1 else 'runs'} now", highlight=False)


@baseline.command(name="list")
@folder_option
def show(folder: str) -> None:
    """List the baselines and their runs."""
    with usage_errors():
        found = Baselines(folder).list()
    console = Console()
    if not found:
        console.print(f"no baselines in {folder!r}", highlight=False, soft_wrap=True)
        return
    console.print(_table(found))


def _table(found: tuple[Baseline, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("name", "saved", "revision", "host", "requests", "pattern"):
        table.add_column(head, justify="right" if head == "requests" else "left")
    for one in found:
        for run in one.runs:
            saved = run.saved.strftime("%Y-%m-%d %H:%M") if run.saved else "-"
            words = (run.revision or "-", run.host or "-", f"{run.completed:,}", run.pattern or "-")
            table.add_row(one.name, saved, *words)
    return table
