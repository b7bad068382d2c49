"""`seawall report`: a page about saved load tests, and the files that a load test leaves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from seawall.cli._words import check_writable, usage_errors
from seawall.errors import ConfigError
from seawall.measure.load import Comparison, LoadResult


@click.command()
@click.argument("runs", type=click.Path(), nargs=-1, required=True)
@click.option("--out", type=click.Path(dir_okay=False), required=True, help="The HTML file to write.")
@click.option("--title", default="", help="What it says on top; the target by default.")
def report(runs: tuple[str, ...], out: str, title: str) -> None:
    """Draw load tests saved by `seawall load --json` as one self-contained HTML page, named by their files."""
    with usage_errors():
        check_writable({"out": out})
        said = write_report(out, runs, title=title)
    click.echo(said)


def write_report(
    out: str, runs: Sequence[str | os.PathLike[str]], *, title: str, comparison: Comparison | None = None
) -> str:
    """Draw saved runs, named by their files, those of a folder in order; what was written, in words.

    Raises:
        ConfigError: The file is one of the runs, or one of them is not a load test.
    """
    # Only who draws should wait for it.
    from seawall.measure.report import report as draw

    files = [file for run in runs for file in _files(Path(run))]
    if Path(out).resolve() in {Path(run).resolve() for run in files}:
        raise ConfigError(f"out must be another file than the runs, got {out!r}; for example report.html")
    named = list(zip(_names(files), (LoadResult.from_json(Path(run)) for run in files), strict=True))
    page = draw(named, title=title, comparison=comparison)
    _write(out, page)
    return f"{out}: {len(named)} run{'s' if len(named) > 1 else ''}, {len(page.encode()) / 1024:,.0f} KiB"


def names_of(files: Sequence[str | os.PathLike[str]]) -> str:
    """Files in a few words."""
    names = [Path(file).stem for file in files]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def write_all(result: LoadResult, *, json: str | None, html: str | None, markdown: str | None) -> None:
    """Write the result in the forms that were asked for; `-` is stdout."""
    if json is not None:
        _write(json, result.to_json() + "\n")
    if html is not None:
        _write(html, result.to_html())
    if markdown is not None:
        _write(markdown, result.to_markdown())


def _files(path: Path) -> list[str]:
    return [str(file) for file in sorted(path.glob("*.json"))] if path.is_dir() else [str(path)]


def _names(runs: Sequence[str]) -> list[str]:
    stems = [Path(run).stem for run in runs]
    # Files of one name in several directories are told apart by these.
    return [stem if stems.count(stem) == 1 else run for stem, run in zip(stems, runs, strict=True)]


def _write(file: str, text: str) -> None:
    with click.open_file(file, "w", encoding="utf-8") as out:
        out.write(text)
