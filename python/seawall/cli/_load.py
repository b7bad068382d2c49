"""`seawall load`: a load test of a URL."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from seawall.cli._against import Against, baseline_options
from seawall.cli._live import following
from seawall.cli._report import write_all
from seawall.cli._view import WIDTH, plan_view, result_view
from seawall.cli._words import Duration, check_writable, read_headers, usage_errors
from seawall.measure.load import Arrivals, LoadResult, LoadTest, parse

FAILED = 1
UNREACHABLE = 3
INTERRUPTED = 130


@click.command()
@click.argument("url")
@click.option(
    "--pattern",
    default="constant",
    show_default=True,
    help="constant, linear, step, spike, sine, stages:30s=100,10s=0 or replay:FILE.",
)
@click.option("--rate", help="Requests a second, by default 50; 50:500 for linear, step, spike and sine.")
@click.option("--duration", type=Duration(), default="10s", show_default=True, help="Length of the run.")
@click.option("--max-concurrency", type=int, default=512, show_default=True, help="Requests under way at once.")
@click.option("--arrivals", type=click.Choice(["uniform", "poisson"]), default="uniform", show_default=True)
@click.option("--seed", type=int, help="Repeats poisson arrivals.")
@click.option("--timeout", type=Duration(), default="10s", show_default=True, help="Longest a request may take.")
@click.option("--method", help="GET, or POST where there is --data.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent each time; may be repeated.")
@click.option("--data", help="Body sent each time.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="'p99<250ms'",
    help="What the run must keep: a percentile, mean, max, rate, errors, late or dropped; may be repeated.",
)
@click.option("--abort", is_flag=True, help="End early when a limit of errors, late or max can no longer be kept.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Also write the result there; - for stdout.",
)
@baseline_options
@click.option("--html", "html_file", type=click.Path(dir_okay=False), help="Also write a page with plots there.")
@click.option(
    "--markdown",
    "markdown_file",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Also write a summary for pull requests there; - for stdout.",
)
def load(
    url: str,
    *,
    pattern: str,
    rate: str | None,
    duration: float,
    max_concurrency: int,
    arrivals: Arrivals,
    seed: int | None,
    timeout: float,
    method: str | None,
    headers: tuple[str, ...],
    data: str | None,
    thresholds: tuple[str, ...],
    abort: bool,
    json_file: str | None,
    against: Against,
    html_file: str | None,
    markdown_file: str | None,
) -> None:
    """Load-test URL in the open model: requests start on time, answered or not.

    Exit codes: 0 done, 1 a threshold failed or slower than the baseline, 2 bad usage, 3 nothing could be reached,
    4 cannot tell from the baseline, 5 no such baseline, 130 interrupted.
    """
    with usage_errors():
        check_writable({"json": json_file, "html": html_file, "markdown": markdown_file})
        test = LoadTest(
            url,
            parse(pattern, rate, duration),
            duration=duration,
            max_concurrency=max_concurrency,
            arrivals=arrivals,
            seed=seed,
            timeout=timeout,
            method=method or ("GET" if data is None else "POST"),
            headers=read_headers(headers),
            body=data,
            interval=min(max(duration / WIDTH, 0.1), 1.0),
            thresholds=thresholds,
            abort=abort,
        )
    console = Console(stderr="-" in (json_file, markdown_file))
    against.check(console)
    result = _run(test, console)
    write_all(result, json=json_file, html=html_file, markdown=markdown_file)
    sys.exit(against.conclude(test, result, _exit_code(result), console))


def _run(test: LoadTest, console: Console) -> LoadResult:
    console.print(plan_view(test))
    console.print()
    with usage_errors(), following(console, test) as on_progress:
        result = test.run(on_progress)
    if result.unreachable:
        console.print(
            f"nothing could be reached: all {result.completed:,} requests failed, the first with: {result.first_error}",
            style="bold red",
            highlight=False,
        )
        return result
    if result.aborted is not None:
        words = f"ended after {result.duration:.1f} s: {result.aborted} can no longer be kept; measured so far:"
        console.print(words, style="bold red", highlight=False)
    elif result.interrupted:
        console.print(f"interrupted after {result.duration:.1f} s; measured so far:", style="bold yellow")
    console.print(result_view(result))
    return result


def _exit_code(result: LoadResult) -> int:
    if result.unreachable:
        return UNREACHABLE
    if result.interrupted and result.aborted is None:
        return INTERRUPTED
    return 0 if result.passed else FAILED
