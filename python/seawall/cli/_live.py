"""A view that follows a load test: it redraws itself in a terminal and writes a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from seawall.cli._live_view import live_view
from seawall.cli._view import ms
from seawall.measure.load import LoadTest, OnProgress, Progress

_PLAIN_EVERY = 5.0
# Parts of the plan that are known to the plot; a terminal has fewer columns.
_LEVELS = 240


@contextmanager
def following(console: Console, test: LoadTest, title: str = "") -> Iterator[OnProgress]:
    """Hand out the callback for a load test; the view is gone at the end of the block, plain lines stay.

    Args:
        console: Where to draw.
        test: What is followed.
        title: What stands above the view.
    """
    if not console.is_terminal:
        yield _PlainLines(console, title)
        return
    course = test.settings.course
    levels = course.plan.levels(_LEVELS) if test.settings.closed is None else []
    # Without a refresh thread: drawing competes with the generator, so it happens only when there is news.
    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        yield lambda progress: live.update(live_view(progress, levels, width=console.width, title=title), refresh=True)


def progress_line(progress: Progress) -> str:
    """A load test under way, in one line of plain text whose parts can be searched for."""
    now = progress.recent
    facts = {
        "asked": None if now is None else f"{now.asked:.0f}/s",
        "sent": None if now is None else f"{now.sent:.0f}/s",
        "succeeded": progress.succeeded,
        "failed": progress.completed - progress.succeeded,
        "in_flight": progress.under_way,
        "late": progress.late,
        "p50": _ms(progress.p50),
        "p90": _ms(progress.p90),
        "p99": _ms(progress.p99),
        "max": _ms(progress.max),
        "phase": progress.phase or None,
    }
    words = " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
    at = f"[{min(progress.elapsed, progress.duration):6.1f}/{progress.duration:g} s]"
    return " ".join([at, words, *(f"warning: {doubt}" for doubt in progress.doubts[:1])])


def _ms(value: float | None) -> str | None:
    return None if value is None else ms(value).replace(" ", "")


class _PlainLines:
    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._next = _PLAIN_EVERY

    def __call__(self, progress: Progress) -> None:
        if progress.elapsed >= self._next:
            self._next += _PLAIN_EVERY
            words = f"{progress_line(progress)}{f'  {self._title}' if self._title else ''}"
            # A log has no width.
            self._console.print(words, highlight=False, soft_wrap=True, markup=False)
