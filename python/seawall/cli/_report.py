"""`seawall report`: a page about saved load tests, and the files that a load test leaves."""

from __future__ import annotations

from pathlib import Path

import click

from seawall.cli._words import check_writable, usage_errors
from seawall.errors import ConfigError
from seawall.measure.load import LoadResult


@click.command()
@click.argument("runs", type=click.Path(), nargs=-1, required=True)
@click.option("--out", type=click.Path(dir_okay=False), required=True, help="The HTML file to write.")
@click.option("--title", default="", help="What it says on top; the target by default.")
def report(runs: tuple[str, ...], out: str, title: str) -> None:
    """Draw load tests saved by `seawall load --json` as one self-contained HTML page, named by their files."""
    # Only who draws should wait for it.
    from seawall.measure.report import report as draw

    with usage_errors():
        check_writable({"out": out})
        if Path(out).resolve() in {Path(run).resolve() for run in runs}:
            raise ConfigError(f"out must be another file than the runs, got {out!r}; for example report.html")
        named = list(zip(_names(runs), (LoadResult.from_json(Path(run)) for run in runs), strict=True))
        page = draw(named, title=title)
    _write(out, page)
    click.echo(f"{out}: {len(named)} run{'s' if len(named) > 1 else ''}, {len(page.encode()) / 1024:,.0f} KiB")


def write_all(result: LoadResult, *, json: str | None, html: str | None, markdown: str | None) -> None:
    """Write the result in the forms that were asked for; `-` is stdout."""
    if json is not None:
        _write(json, result.to_json() + "\n")
    if html is not None:
        _write(html, result.to_html())
    if markdown is not None:
        _write(markdown, result.to_markdown())


def _names(runs: tuple[str, ...]) -> list[str]:
    stems = [Path(run).stem for run in runs]
    # Files of one name in several directories are told apart by these.
    return [stem if stems.count(stem) == 1 else run for stem, run in zip(stems, runs, strict=True)]


def _write(file: str, text: str) -> None:
    with click.open_file(file, "w", encoding="utf-8") as out:
        out.write(text)
