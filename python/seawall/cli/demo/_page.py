"""The demo's report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seawall.cli._words import check_writable
from seawall.cli.demo._round import Round
from seawall.errors import ConfigError

_TITLE = "An unreliable service, without guards and with them"


def check_out(out: str) -> None:
    """Raise ConfigError where the report could not be written, or would take the place of something else."""
    check_writable({"out": out})
    path = Path(out)
    if path.is_file() and path.stat().st_size and "Drawn by seawall" not in path.read_text("utf-8", "replace"):
        raise ConfigError(f"out must be a new file or an old report of seawall, got {out!r}; choose another name")


def write_page(out: str, rounds: Sequence[Round]) -> str:
    """Write all runs, the two of a pattern beside each other; where it is and how large, in words."""
    # Only who draws should wait for it.
    from seawall.measure.report import Run, report

    runs = [
        Run("with guards" if variant == "guarded" else "without guards", side.result, one.pattern.describe())
        for one in rounds
        for variant, side in one.sides.items()
    ]
    page = report(runs, title=_TITLE)
    Path(out).write_text(page, encoding="utf-8")
    return f"{out} ({len(runs)} runs, {len(page.encode()) / 1024:,.0f} KiB)"
