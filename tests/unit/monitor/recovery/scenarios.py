"""Scenarios, whose transcripts are in tests/golden/recovery.

`python -m tests.unit.monitor.recovery.scenarios` rewrites them. A step is (seconds, readings), or
the end of an action: (name, detail) or (name, detail, "failed").
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.monitor.recovery.world import World

from seawall.clock import ManualClock
from seawall.monitor.recovery import Action, Budget, Rule, above

GOLDEN = Path(__file__).parents[3] / "golden" / "recovery"


def act(name: str, **bounds: Any) -> Action:
    """An action whose work is never really done here."""
    return Action(name, lambda: None, **{"settle": 10, "cooldown": 60, "timeout": 30, **bounds})


def hot(*ladder: Action, **options: Any) -> Rule:
    """Too much load for 5 s."""
    return Rule("hot", above("load", 0.9, clear=0.7), ladder, **{"for_": 5, "relapse": 100, **options})


def one_rule(*ladder: Action, **options: Any) -> Callable[[ManualClock], World]:
    """A world of one rule."""
    return lambda clock: World(hot(*ladder, **options), clock=clock)


def over_budget(clock: ManualClock) -> World:
    """Two starts in an hour, over all actions."""
    ladder = (act("restart", cooldown=0),)
    return World(hot(*ladder, relapse=0, for_=0), clock=clock, budget=Budget(2, 3600, clock=clock))


def two_rules(clock: ManualClock) -> World:
    """Two rules that share an action."""
    shared = act("restart")
    cold = Rule("full", above("memory", 0.9), [act("collect garbage"), shared])
    return World(hot(shared, for_=0), cold, clock=clock)


UNDO = {"undo": lambda: None}

SCENARIOS: dict[str, tuple[Callable[[ManualClock], World], list[tuple[Any, ...]]]] = {
    "a spike shorter than for_ is nothing": (
        one_rule(act("restart")), [(0, 0.95), (4, 0.95), (1, 0.5), (1, 0.95), (4.9, 0.95), (0.2, 0.6)],
    ),
    "what is not known does not count": (
        one_rule(act("restart")), [(0, 0.95), (4, None), (4, 0.95), (4, 0.95), (1, 0.95)],
    ),
    "the first action helps": (
        one_rule(act("restart")),
        [(0, 0.95), (5, 0.95), (1, 0.95), ("restart", "2 workers"), (1, 0.95), (3, 0.8), (3, 0.7), (1, 0.7)],
    ),
    "each action that does not help is followed by the next": (
        one_rule(act("collect garbage"), act("restart"), act("leave")),
        [
            (0, 0.95), (5, 0.95), ("collect garbage", ""), (1, 0.95), (9.9, 0.95), (0.1, 0.95), ("restart", ""),
            (1, 0.95), (10, 0.95), ("leave", ""), (1, 0.95), (10, 0.95), (1, 0.95), (60, 0.95), (1, 0.5), (1, 0.5),
        ],
    ),
    "a failed action is followed by the next at once": (
        one_rule(act("restart"), act("leave")),
        [(0, 0.95), (5, 0.95), ("restart", "OSError: no", "failed"), (1, 0.95), ("leave", ""), (1, 0.5)],
    ),
    "a hanging action is told, passed over, and told when it ends": (
        one_rule(act("restart"), act("leave")),
        [(0, 0.95), (5, 0.95), (29.9, 0.95), (0.1, 0.95), ("restart", "at last"), (1, 0.95), ("leave", ""), (1, 0.5)],
    ),
    "a hanging action is not started again while it hangs": (
        one_rule(act("restart", cooldown=0), relapse=0),
        [(0, 0.95), (5, 0.95), (30, 0.95), (1, 0.5), (1, 0.95), (5, 0.95), (1, 0.95), ("restart", ""), (1, 0.95)],
    ),
    "a condition that is back soon is met by the next action": (
        one_rule(act("restart"), act("leave")),
        [
            (0, 0.95), (5, 0.95), ("restart", ""), (1, 0.5), (50, 0.95), (5, 0.95), ("leave", ""), (1, 0.5), (99, 0.95),
            (5, 0.95), (1, 0.5),
        ],
    ),
    "a condition that is back late begins with the first action": (
        one_rule(act("restart"), act("leave")),
        [(0, 0.95), (5, 0.95), ("restart", ""), (1, 0.5), (100, 0.95), (5, 0.95)],
    ),
    "a cool-down is kept": (
        one_rule(act("restart", cooldown=60), relapse=0),
        [(0, 0.95), (5, 0.95), ("restart", ""), (1, 0.5), (10, 0.95), (5, 0.95), (1, 0.95), (42.9, 0.95), (0.1, 0.95)],
    ),
    "it must stay away for clear_for": (
        one_rule(act("restart"), clear_for=20),
        [
            (0, 0.95), (5, 0.95), ("restart", ""), (1, 0.5), (19, 0.5), (0.5, 0.95), (1, 0.5), (19.9, None), (1, 0.5),
            (20, 0.5),
        ],
    ),
    "what was applied is taken back, the last first": (
        one_rule(act("shed", **UNDO), act("restart"), act("open breaker", **UNDO)),
        [
            (0, 0.95), (5, 0.95), ("shed", ""), (1, 0.95), (10, 0.95), ("restart", ""), (1, 0.95), (10, 0.95),
            ("open breaker", ""), (1, 0.5), ("undo open breaker", ""), ("undo shed", "OSError: no", "failed"), (1, 0.5),
        ],
    ),
    "what hung is taken back once it has ended": (
        one_rule(act("shed", **UNDO)),
        [(0, 0.95), (5, 0.95), (30, 0.95), (1, 0.5), (1, 0.5), ("shed", ""), (1, 0.5), ("undo shed", ""), (1, 0.5)],
    ),
    "a dry run tells what it would do": (
        one_rule(act("collect garbage"), act("restart", **UNDO), dry_run=True),
        [(0, 0.95), (5, 0.95), (1, 0.95), (9, 0.95), (10, 0.95), (1, 0.95), (1, 0.5)],
    ),
    "a budget is kept over all incidents": (
        over_budget,
        [
            (0, 0.95), ("restart", ""), (1, 0.5), (1, 0.95), ("restart", ""), (1, 0.5), (1, 0.95), (1, 0.95),
            (3594, 0.95), (1, 0.95), ("restart", ""), (1, 0.5),
        ],
    ),
    "two rules act one after the other": (
        two_rules,
        [
            (0, 0.95, 0.95), (1, 0.95, 0.95), ("restart", ""), (1, 0.95, 0.95), ("collect garbage", ""), (1, 0.5, 0.95),
            (10, 0.5, 0.95), ("restart", ""), (1, 0.5, 0.5),
        ],
    ),
}  # fmt: skip


def transcript(name: str) -> str:
    """What a scenario tells, each line with the seconds since its begin."""
    make, steps = SCENARIOS[name]
    world = make(ManualClock(1000))
    for step in steps:
        if isinstance(step[0], str):
            world.end(step[0], step[1], failed=len(step) > 2)
        else:
            world.look(step[0], **dict(zip(("load", "memory"), step[1:], strict=False)))
    return "\n".join(world.lines) + "\n"


def path_of(name: str) -> Path:
    """Where the transcript of a scenario is kept."""
    return GOLDEN / f"{name.replace(' ', '-').replace(',', '')}.txt"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for scenario in SCENARIOS:
        path_of(scenario).write_text(transcript(scenario))
    sys.exit(0)
