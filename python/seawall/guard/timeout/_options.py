"""Options of timeouts."""

from __future__ import annotations

from datetime import timedelta

from seawall.patterns import Options, option


class TimeoutOptions(Options):
    """What bounds a call's time."""

    seconds: float | timedelta = option(
        unit="s", above=0, most=31_536_000, help="time for each call; a call without a bound needs no Timeout"
    )
    thread: bool = option(
        default=False, help="run plain functions in a thread, so that their caller is not kept waiting"
    )
    max_abandoned: int = option(
        default=16, least=1, most=10_000, help="callees that may run on in threads with nobody waiting"
    )
