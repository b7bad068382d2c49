"""`seawall compare`: saved load tests against each other, or against a baseline."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from seawall.cli._compare_view import comparison_view
from seawall.cli._missing import allow_missing_option, folder_option, missing
from seawall.cli._sides import side, two_sides
from seawall.cli._words import Share, check_writable, usage_errors
from seawall.errors import ConfigError
from seawall.measure.load import Baselines, Comparison
from seawall.measure.load import compare as compare_runs

_FILE = click.Path(dir_okay=False, allow_dash=True)


@click.command()
@click.argument("sides", nargs=-1, metavar="A B | RUN...")
@click.option("--baseline", metavar="NAME", help="Compare with this baseline: all arguments are runs after.")
@folder_option
@allow_missing_option
@click.option("--tolerance", type=Share(), default="5%", show_default=True, help="Change that does not matter.")
@click.option("--confidence", type=Share(), default="95%", show_default=True, help="With which all intervals hold.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling.")
@click.option("--json", "json_file", type=_FILE, help="Also write the comparison there; - for stdout.")
@click.option("--markdown", type=_FILE, help="Also write it there as a comment of a pull request; - for stdout.")
def compare(
    sides: tuple[str, ...],
    *,
    baseline: str | None,
    folder: str,
    allow_missing: bool,
    tolerance: float,
    confidence: float,
    seed: int,
    json_file: str | None,
    markdown: str | None,
) -> None:
    """Compare the response times of load tests saved by `seawall load --json`: A before, B after.

    A side is a file, several files joined by commas, or a folder with all its *.json. Several runs a side show how runs
    differ among themselves.

    Exit codes: 0 same or faster, 1 slower, 2 bad usage, 4 cannot tell, 5 no such baseline.
    """
    console = Console(stderr="-" in (json_file, markdown))
    with usage_errors():
        check_writable({"json": json_file, "markdown": markdown})
        baselines = Baselines(folder)
        if baseline is not None and baseline not in baselines:
            sys.exit(missing(console, baseline, folder, allow=allow_missing))
        a, b = two_sides(sides) if baseline is None else (baselines.load(baseline).paths, _after(sides))
        found = compare_runs(a, b, tolerance=tolerance, confidence=confidence, seed=seed)
    console.print(comparison_view(found))
    _write(found, json_file, markdown)
    sys.exit(found.exit_code)


def _after(words: tuple[str, ...]) -> list[str]:
    if not words:
        raise ConfigError("compare --baseline takes the runs after, got none; for example after.json")
    return [file for word in words for file in side(word)]


def _write(found: Comparison, json_file: str | None, markdown: str | None) -> None:
    if json_file is not None:
        with click.open_file(json_file, "w") as out:
            out.write(found.to_json() + "\n")
    if markdown is not None:
        with click.open_file(markdown, "w") as out:
            out.write(found.to_markdown())
