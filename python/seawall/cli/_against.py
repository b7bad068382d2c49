"""`seawall load` with a baseline: compare right after the run, and keep the run."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console

from seawall.cli._baseline import keep_option, revision_option
from seawall.cli._compare_view import comparison_view
from seawall.cli._missing import allow_missing_option, folder_option, missing
from seawall.cli._words import Share, usage_errors
from seawall.measure.load import Baselines, LoadResult, LoadTest, compare

_OPTIONS = (
    click.option("--baseline", metavar="NAME", help="Compare with this baseline after the run; exit codes 1, 4 and 5."),
    click.option("--save-baseline", metavar="NAME", help="Keep the run there, unless it failed or was slower."),
    click.option("--tolerance", type=Share(), default="5%", show_default=True, help="Change that does not matter."),
    folder_option,
    allow_missing_option,
    keep_option,
    revision_option,
)


@dataclass(frozen=True, slots=True)
class Against:
    """What was asked about baselines."""

    baseline: str | None
    save_baseline: str | None
    tolerance: float
    folder: str
    allow_missing: bool
    keep: int
    revision: str | None

    def check(self, console: Console) -> None:
        """Better now than after an hour of measuring: refuse wrong names, and exit where there is no baseline."""
        baselines = Baselines(self.folder)
        with usage_errors():
            absent = self.baseline is not None and self.baseline not in baselines
            _ = self.save_baseline is not None and self.save_baseline in baselines
        if absent and self.baseline is not None:
            code = missing(console, self.baseline, self.folder, allow=self.allow_missing)
            if code:
                sys.exit(code)

    def conclude(self, test: LoadTest, result: LoadResult, code: int, console: Console) -> int:
        """Compare and keep the run; the exit code. A run that failed by itself (`code`) stays what it is."""
        if code:
            return code
        baselines, found = Baselines(self.folder), 0
        with usage_errors():
            if self.baseline is not None and self.baseline in baselines:
                comparison = compare(baselines.load(self.baseline).paths, result, tolerance=self.tolerance)
                console.print(comparison_view(comparison))
                found = comparison.exit_code
            # A baseline that learns from slower runs would get used to them.
            if self.save_baseline is not None and found != 1:
                self._save(baselines, test, result, console)
        return found

    def _save(self, baselines: Baselines, test: LoadTest, result: LoadResult, console: Console) -> None:
        if not result.verdict.valid:
            words = f"not kept as baseline {self.save_baseline!r}: {result.verdict.cause}"
            console.print(words, style="bold yellow", highlight=False)
            return
        pattern = f"{test.pattern.describe()} for {test.plan.duration:g} s"
        name = self.save_baseline or ""
        baselines.save(name, result, keep=self.keep, revision=self.revision, pattern=pattern)


def baseline_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of baselines to a command, which takes them as one argument, `against`."""
    names = Against.__dataclass_fields__

    @functools.wraps(command)
    def gathered(*args: Any, **options: Any) -> None:
        command(*args, against=Against(**{name: options.pop(name) for name in names}), **options)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered
