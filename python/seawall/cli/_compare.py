"""`seawall compare`: two saved load tests against each other."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from seawall.cli._compare_view import comparison_view
from seawall.cli._words import Share, usage_errors
from seawall.measure.load import compare as compare_runs


@click.command()
@click.argument("a", type=click.Path())
@click.argument("b", type=click.Path())
@click.option("--tolerance", type=Share(), default="5%", show_default=True, help="Change that does not matter.")
@click.option("--confidence", type=Share(), default="95%", show_default=True, help="With which all intervals hold.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling.")
def compare(a: str, b: str, *, tolerance: float, confidence: float, seed: int) -> None:
    """Compare the response times of load tests saved by `seawall load --json`: A before, B after.

    Exit codes: 0 same or faster, 1 slower, 2 bad usage, 4 cannot tell.
    """
    with usage_errors():
        found = compare_runs(a, b, tolerance=tolerance, confidence=confidence, seed=seed)
    Console().print(comparison_view(found))
    sys.exit(found.exit_code)
