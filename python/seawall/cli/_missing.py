"""Where baselines are, and what happens where there is none yet."""

from __future__ import annotations

import click
from rich.console import Console

from seawall.measure.load import BASELINE_FOLDER

NO_BASELINE = 5

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False),
    default=BASELINE_FOLDER,
    show_default=True,
    help="Where baselines are kept.",
)
allow_missing_option = click.option(
    "--allow-missing", is_flag=True, help="No baseline yet is no failure: exit code 0 in place of 5."
)


def missing(console: Console, name: str, folder: str, *, allow: bool) -> int:
    """Say that there is no baseline of that name; the exit code."""
    words = f"no baseline {name!r} in {folder!r}: nothing to compare with; save one with `seawall baseline save`"
    console.print(words, style="bold yellow", highlight=False, soft_wrap=True)
    return 0 if allow else NO_BASELINE
