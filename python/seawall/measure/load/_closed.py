"""The closed model: a fixed number of users, each of whom waits for an answer before asking again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.target import Scenario


@dataclass(frozen=True, slots=True)
class Closed:
    """So many users in place of a pattern, each of whom asks again when answered.

    Such a run measures what a system does at a fixed concurrency. It says little about what users of an open system
    feel: a stall keeps the users from asking, so hardly any request sees it (coordinated omission).

    Several scenarios share the users by their weights; each has one at least. So weights are shares of the users here,
    and a scenario that answers faster is asked more often.

    Units: `think` in seconds.

    Args:
        users: 1 to 100,000.
        think: How long each waits after an answer, 0 to an hour.

    Raises:
        ConfigError: A number is out of range.

    Example:
        >>> Closed(50, think=0.1).describe()
        'closed model: 50 users, 0.1 s between answer and next request'
    """

    users: int
    think: float = 0.0

    def __post_init__(self) -> None:
        _checks.whole("users", self.users, low=1, high=100_000, unit="users", way_out="for example Closed(50)")
        seconds = _checks.seconds("think", self.think, low=0, high=3600, way_out="0 is the default")
        object.__setattr__(self, "think", seconds)

    def describe(self) -> str:
        """The model in a few words."""
        many = "1 user" if self.users == 1 else f"{self.users:,} users"
        pause = f", {self.think:g} s between answer and next request" if self.think else ""
        return f"closed model: {many}{pause}"


def check_closed_options(closed: Closed, scenarios: Sequence[Scenario], given: Mapping[str, object]) -> None:
    """Raise ConfigError where an option of the open model stands beside the closed one, or users are too few."""
    given = {**given, "max_concurrency": next((one.max_concurrency for one in scenarios if one.max_concurrency), None)}
    for name, value in given.items():
        if value:
            raise ConfigError(f"{name} belongs to the open model, got {value!r} beside {closed!r}; leave it out")
    if closed.users < len(scenarios):
        raise ConfigError(
            f"users must be at least one for each of the {len(scenarios)} scenarios, got {closed.users}; "
            f"for example Closed({10 * len(scenarios)})"
        )


def split(users: int, weights: Sequence[float]) -> list[int]:
    """Deal users to scenarios by weight, one at least to each: what is left goes to those that lack most."""
    whole = math.fsum(weights)
    wanted = [users * weight / whole for weight in weights]
    dealt = [1] * len(weights)
    for _ in range(users - len(weights)):
        neediest = max(range(len(weights)), key=lambda i: wanted[i] - dealt[i])
        dealt[neediest] += 1
    return dealt
