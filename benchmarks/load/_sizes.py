"""How long everything is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Lengths of runs.

    Units: seconds, but for counts. wrk and Locust know whole seconds only.
    """

    quick: bool
    rounds: int
    seconds: int  # of one round at full speed
    own_seconds: float  # the same, of our own generator
    open_seconds: float
    stall_run: int  # of the run with a stall
    stall_after: float
    stall_length: float
    rates: tuple[int, ...]  # tried for callables, in calls a second
    calls_seconds: float
    connections: int  # held open at once
    slow_rate: int  # at which they are opened, a second
    answer_after: float
    blocks: tuple[int, int]  # calls of the two runs that are compared for what they leave allocated


FULL = Sizes(
    quick=False,
    rounds=5,
    seconds=3,
    own_seconds=3,
    open_seconds=5,
    stall_run=10,
    stall_after=3.05,  # between two rounds of users who began together and ask ten times a second
    stall_length=2,
    rates=(1_000, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000, 130_000, 170_000),
    calls_seconds=1,
    connections=10_000,
    slow_rate=4_000,
    answer_after=4,
    blocks=(20_000, 200_000),
)
QUICK = Sizes(
    quick=True,
    rounds=1,
    seconds=1,
    own_seconds=0.3,
    open_seconds=0.5,
    stall_run=1,
    stall_after=0.2,
    stall_length=0.2,
    rates=(500,),
    calls_seconds=0.2,
    connections=200,
    slow_rate=1_000,
    answer_after=0.5,
    blocks=(500, 2_000),
)
