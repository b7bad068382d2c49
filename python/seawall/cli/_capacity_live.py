"""A view that follows a capacity search: the step under way in a terminal, a plain line for each finished step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from seawall.cli._live_view import live_view
from seawall.measure.load import CapacityStep, OnStep, OnStepProgress, Progress


@contextmanager
def following_steps(
    console: Console, line: Callable[[int, CapacityStep], Text]
) -> Iterator[tuple[OnStep, OnStepProgress | None]]:
    """Hand out the callbacks of a search; the live part is gone at the end of the block, the lines stay."""
    numbers = itertools.count(1)

    def on_step(step: CapacityStep) -> None:
        console.print(line(next(numbers), step), no_wrap=True, overflow="ellipsis")

    if not console.is_terminal:
        yield on_step, None
        return
    # Without a refresh thread: drawing competes with the generator, so it happens only when there is news.
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def on_progress(rate: float, progress: Progress) -> None:
            view = live_view(progress, [rate], width=console.width, title=f"{rate:,.10g}/s")
            live.update(view, refresh=True)

        yield on_step, on_progress
