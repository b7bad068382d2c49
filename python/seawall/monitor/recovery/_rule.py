"""A condition, and the ladder of actions against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from seawall.errors import ConfigError
from seawall.monitor.recovery._action import Action
from seawall.monitor.recovery._condition import Condition
from seawall.monitor.recovery._machine import Course
from seawall.patterns import Options, option

_LONGEST = 86_400.0 * 31


class RuleOptions(Options):
    """When a condition is acted on, and when it is over."""

    for_: float | timedelta = option(
        default=0.0,
        unit="s",
        least=0,
        most=_LONGEST,
        help="the condition must hold for so long before anything is done",
    )
    clear_for: float | timedelta = option(
        default=0.0, unit="s", least=0, most=_LONGEST, help="it must not hold for so long to be over"
    )
    relapse: float | timedelta = option(
        default=300.0,
        unit="s",
        least=0,
        most=_LONGEST,
        help="back within that time, the last action did not help, and the next one is taken",
    )


class Rule:
    """A condition, and the ladder of actions against it: the next one is taken when the one before did not help.

    Args:
        name: For people, and its identity.
        condition: What is wrong.
        ladder: Actions, the mildest first.
        for_: The condition must hold for so long; time in which nothing is known does not count.
        clear_for: It must not hold for so long to be over.
        relapse: A condition that is back within that time begins with the action after the last one.
        dry_run: Tell what would be done, and do nothing.

    Raises:
        ConfigError: an option that can never work.
    """

    def __init__(
        self,
        name: str,
        condition: Condition,
        ladder: Sequence[Action],
        *,
        for_: float | timedelta = 0.0,
        clear_for: float | timedelta = 0.0,
        relapse: float | timedelta = 300.0,
        dry_run: bool = False,
    ) -> None:
        if not isinstance(condition, Condition):
            raise ConfigError(
                f"condition of rule {name!r} must be a Condition, got {condition!r}; above(...) makes one"
            )
        ladder = (ladder,) if isinstance(ladder, Action) else tuple(ladder)
        if not ladder or not all(isinstance(action, Action) for action in ladder):
            raise ConfigError(f"ladder of rule {name!r} must be Actions, at least one, got {ladder!r}")
        options = RuleOptions(for_=for_, clear_for=clear_for, relapse=relapse)
        self.name, self.condition, self.ladder, self.options, self.dry_run = name, condition, ladder, options, dry_run
        self.course = Course(ladder, *(float(value) for value in options.as_dict().values()))

    def __repr__(self) -> str:
        ladder = ", ".join(action.name for action in self.ladder)
        return f"Rule({self.name!r}, {self.condition.name}, [{ladder}])"
