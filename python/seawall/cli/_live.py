"""A view that follows a load test: it redraws itself in a terminal and writes a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from seawall.cli._view import progress_line, progress_view
from seawall.measure.load import OnProgress, Progress

_PLAIN_EVERY = 5.0


@contextmanager
def following(console: Console, title: str = "") -> Iterator[OnProgress]:
    """Hand out the callback for a load test; the view is gone at the end of the block, plain lines stay.

    Args:
        console: Where to draw.
        title: What stands above the view.
    """
    if not console.is_terminal:
        yield _PlainLines(console)
        return
    # Without a refresh thread: drawing competes with the generator, so it happens only when there is news.
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda progress: live.update(progress_view(progress, title), refresh=True)


class _PlainLines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = _PLAIN_EVERY

    def __call__(self, progress: Progress) -> None:
        if progress.elapsed >= self._next:
            self._next += _PLAIN_EVERY
            self._console.print(progress_line(progress), highlight=False)
