"""Options of limits across machines: defaults, units, ranges, checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypedDict

from seawall.patterns import Options, option

Away = Literal["open", "closed", "local share"]


class Common(TypedDict, total=False):
    """Keywords that all limits across machines take."""

    namespace: str
    away: Away
    share: int
    within: float | timedelta
    shadow: bool
    enforce: float


class DistributedOptions(Options):
    """Options that all limits across machines take."""

    namespace: str = option(default="seawall", help="of the engine's meter; limits of one name in it are one limit")
    away: Away = option(
        default="local share", help="when the engine is away: admit all, refuse all, or limit in this process alone"
    )
    share: int = option(
        default=1, least=1, most=1_000_000, help="processes that share the limit while each is on its own"
    )
    within: float | timedelta = option(
        default=1.0, unit="s", least=0.001, most=3_600, help="longest time to ask the engine; then it is away"
    )


class LeaseOptions(Options):
    """How much a process takes ahead, and for how long."""

    fraction: float = option(
        default=0.1, above=0, most=1, help="what a process may hold, as a share of the most admitted at once"
    )
    ttl: float | timedelta = option(default=1.0, unit="s", least=0.001, most=3_600, help="how long that can be used")
