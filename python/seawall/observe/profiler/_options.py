"""Options of the profiler, the allocation tracer and the stall detector."""

from __future__ import annotations

from datetime import timedelta

from seawall.patterns import Options, option


class ProfilerOptions(Options):
    """How often, how dear and how much."""

    rate: float = option(default=100.0, unit="samples/s", least=0.1, most=1_000, help="how often stacks are looked at")
    budget: float = option(
        default=0.02, least=0.0001, most=0.5, help="largest share of one processor; samples become rarer above it"
    )
    max_stacks: int = option(default=10_000, least=1, most=1_000_000, help="distinct stacks kept; more count as one")
    max_depth: int = option(default=256, least=1, most=10_000, help="innermost frames kept of a stack")
    tasks: bool = option(default=True, help="whether suspended asyncio tasks are looked at, too")
    max_tasks: int = option(
        default=200, least=1, most=100_000, help="tasks looked at in one sample; of more, so many by chance"
    )
    switch_interval: float | None = option(
        default=None,
        unit="s",
        least=0.00001,
        most=1,
        help="sys.setswitchinterval while it runs, for services whose work is in threads; None: as it is",
    )
    split_threads: bool = option(default=False, help="whether numbers in thread names tell threads apart")


class AllocationOptions(Options):
    """How much is remembered of each allocation."""

    frames: int = option(
        default=16, least=1, most=256, help="frames kept of each allocation; each costs time and memory"
    )


class StallOptions(Options):
    """When a loop counts as stalled."""

    threshold: float | timedelta = option(
        default=0.1, unit="s", least=0.001, most=3600, help="how long a loop may not run before it counts as stalled"
    )
    max_captures: int = option(default=4, least=1, most=64, help="stacks captured of one stall, at doubling times")
    max_places: int = option(default=100, least=1, most=100_000, help="blocking lines counted apart; more count as one")
