"""`seawall top`: a segment, live, in a terminal."""

from __future__ import annotations

import json
from contextlib import suppress

import click
from rich.console import Console, RenderableType
from rich.live import Live

from seawall.cli._segment import Watched
from seawall.cli._top_view import top_view
from seawall.clock import SystemClock
from seawall.errors import SegmentError
from seawall.observe import Recording

NO_SEGMENT = 3
_TALL = 10_000


@click.command()
@click.argument("segment")
@click.option("--every", type=click.FloatRange(0.1, 60), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look twice, print all of it, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print one snapshot for programs, and end.")
def top(segment: str, every: float, once: bool, as_json: bool) -> None:
    """Limits, breakers and metrics in SEGMENT, live: those of all workers, whether they run a server or not.

    Exit codes: 0 done, 2 bad usage, 3 there is no such segment.
    """
    watched = attach(segment)
    if as_json:
        click.echo(json.dumps(watched.snapshot().to_dict()))
        return
    console, clock, recording = Console(), SystemClock(), Recording()
    with suppress(KeyboardInterrupt):
        if once:
            recording.append(watched.snapshot())
            clock.sleep(every)
            recording.append(watched.snapshot())
            console.print(_view(watched, recording, segment, console, _TALL))
            return
        with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
            while True:
                recording.append(watched.snapshot())
                live.update(_view(watched, recording, segment, console, console.size.height), refresh=True)
                clock.sleep(every)


def _view(watched: Watched, recording: Recording, segment: str, console: Console, height: int) -> RenderableType:
    notes = [f"{name} cannot be read: {why}" for name, why in watched.unread.items()]
    return top_view(recording, title=segment, width=console.size.width, height=height, notes=notes)


def attach(name: str) -> Watched:
    """A segment to look at; ends the command when there is none."""
    try:
        return Watched(name)
    except SegmentError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(NO_SEGMENT) from error
