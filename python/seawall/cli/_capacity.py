"""`seawall capacity`: the highest rate that keeps the thresholds."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from seawall.cli._capacity_live import following_steps
from seawall.cli._capacity_view import capacity_view, search_view, step_line
from seawall.cli._load import FAILED, INTERRUPTED, UNREACHABLE
from seawall.cli._words import Duration, Share, check_writable, read_headers, usage_errors
from seawall.measure.load import DEFAULT_THRESHOLDS, Arrivals, Capacity, CapacitySearch, Search

GENERATOR = 4
_EXIT_CODES = {
    "none passed": FAILED,
    "unreachable": UNREACHABLE,
    "not recovered": UNREACHABLE,
    "generator": GENERATOR,
    "interrupted": INTERRUPTED,
}


@click.command()
@click.argument("url")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="'p99<250ms'",
    help="What a step must keep, as for load; may be repeated. By default errors<1%.",
)
@click.option("--start", type=float, default=10.0, show_default=True, help="First rate, requests a second.")
@click.option("--most", type=float, default=100_000.0, show_default=True, help="Highest rate to try.")
@click.option("--step", type=Duration(), default="5s", show_default=True, help="Length of a step.")
@click.option("--precision", type=Share(), default="5%", show_default=True, help="Width of the interval to stop at.")
@click.option("--confidence", type=Share(), default="90%", show_default=True, help="Of the interval.")
@click.option("--growth", type=float, default=2.0, show_default=True, help="Factor between steps until one fails.")
@click.option("--max-steps", type=int, default=50, show_default=True, help="The most steps.")
@click.option("--max-concurrency", type=int, default=512, show_default=True, help="Requests under way at once.")
@click.option("--arrivals", type=click.Choice(["uniform", "poisson"]), default="uniform", show_default=True)
@click.option("--seed", type=int, help="Repeats poisson arrivals.")
@click.option("--timeout", type=Duration(), default="10s", show_default=True, help="Longest a request may take.")
@click.option("--method", help="GET, or POST where there is --data.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent each time; may be repeated.")
@click.option("--data", help="Body sent each time.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Also write the answer and its steps there; - for stdout.",
)
def capacity(
    url: str,
    *,
    thresholds: tuple[str, ...],
    start: float,
    most: float,
    step: float,
    precision: float,
    confidence: float,
    growth: float,
    max_steps: int,
    max_concurrency: int,
    arrivals: Arrivals,
    seed: int | None,
    timeout: float,
    method: str | None,
    headers: tuple[str, ...],
    data: str | None,
    json_file: str | None,
) -> None:
    """Find the highest rate at which URL keeps the thresholds, by short load tests one after another.

    Exit codes: 0 found, 1 not even the start rate passes, 2 bad usage, 3 nothing could be reached or the target did not
    recover from an overload, 4 the generator was the limit, 130 interrupted.
    """
    with usage_errors():
        check_writable({"json": json_file})
        search = CapacitySearch(
            url,
            Search(start, most, precision, confidence, growth, max_steps),
            step=step,
            thresholds=thresholds or DEFAULT_THRESHOLDS,
            options={
                "max_concurrency": max_concurrency,
                "arrivals": arrivals,
                "seed": seed,
                "timeout": timeout,
                "method": method or ("GET" if data is None else "POST"),
                "headers": read_headers(headers),
                "body": data,
            },
        )
    found = _run(search, Console(stderr=json_file == "-"))
    if json_file is not None:
        with click.open_file(json_file, "w") as out:
            out.write(found.to_json() + "\n")
    sys.exit(_EXIT_CODES.get(found.ended, 0))


def _run(search: CapacitySearch, console: Console) -> Capacity:
    console.print(search_view(search))
    console.print()
    with usage_errors(), following_steps(console, step_line) as (on_step, on_progress):
        found = search.run(on_step, on_progress)
    console.print(capacity_view(found))
    return found
