"""`seawall load`: a load test of a URL, a function or several scenarios."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.console import Console

from seawall.cli._against import Against, baseline_options
from seawall.cli._live import following
from seawall.cli._load_options import load_options, load_test_of
from seawall.cli._report import write_all
from seawall.cli._view import plan_view, result_view
from seawall.cli._words import check_writable, usage_errors
from seawall.measure.load import LoadResult, LoadTest

FAILED = 1
UNREACHABLE = 3
INTERRUPTED = 130


@click.command()
@click.argument("target")
@load_options
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
    target: str,
    *,
    asked: dict[str, Any],
    json_file: str | None,
    against: Against,
    html_file: str | None,
    markdown_file: str | None,
) -> None:
    """Load-test TARGET: a URL, a function as module:name, or a plan of several scenarios as FILE.toml.

    In the open model: requests start on time, answered or not; with --closed users wait for their answers.

    Exit codes: 0 done, 1 a threshold failed or slower than the baseline, 2 bad usage, 3 nothing could be reached,
    4 cannot tell from the baseline, 5 no such baseline, 130 interrupted.
    """
    with usage_errors():
        check_writable({"json": json_file, "html": html_file, "markdown": markdown_file})
        test = load_test_of(target, asked)
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
