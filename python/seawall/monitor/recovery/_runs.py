"""What runs at present: nothing twice at once, and no more than may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from seawall.monitor.recovery._action import Action
from seawall.monitor.recovery._machine import Kind
from seawall.monitor.recovery._runner import Run, Runner


class Ended(NamedTuple):
    """How something that ran has ended, or that it hangs."""

    rule: str
    kind: Kind
    action: str
    detail: str


@dataclass(slots=True)
class _Under:
    """Something under way."""

    rule: str
    action: Action
    run: Run
    since: float
    undoing: bool
    hanging: bool = False


class Runs:
    """Actions under way, by name; those that are to be taken back wait until their action is free.

    Args:
        runner: Where they run.
        most: At once.
    """

    def __init__(self, runner: Runner, most: int) -> None:
        self._runner, self._most = runner, most
        self._under: dict[str, _Under] = {}
        self._to_undo: dict[str, tuple[str, Action]] = {}

    def free(self, action: Action) -> tuple[Kind, str] | None:
        """Why an action cannot be started now; None when it can."""
        own = self._under.get(action.name)
        if own is not None:
            return "busy", f"still {'hanging' if own.hanging else 'running'} for rule {own.rule}"
        running = [each.action.name for each in self._under.values() if not each.hanging]
        return ("busy", f"{', '.join(running)} must end first") if len(running) >= self._most else None

    def start(self, rule: str, action: Action, now: float) -> None:
        """Run an action that is free."""
        run = self._runner.start(action.name, action.work)
        self._under[action.name] = _Under(rule, action, run, now, undoing=False)

    def undo(self, rule: str, action: Action, now: float) -> None:
        """Take an action back, as soon as nothing of it runs."""
        self._to_undo[action.name] = (rule, action)
        self._begin_undoing(now)

    def ended(self, now: float) -> Iterator[Ended]:
        """What has ended, or has used up its time, since last asked."""
        for name, under in list(self._under.items()):
            if under.run.done:
                del self._under[name]
                yield Ended(under.rule, _kind(under, failed=under.run.failed), name, under.run.detail)
            elif not under.hanging and now - under.since >= under.action.timeout:
                under.hanging = True
                under.run.give_up()
                detail = f"not ended after {under.action.timeout:g} s"
                yield Ended(under.rule, "undo_hung" if under.undoing else "hung", name, detail)
        self._begin_undoing(now)

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What runs, and what hangs."""
        under = list(self._under.items())
        return (
            tuple(name for name, each in under if not each.hanging),
            tuple(name for name, each in under if each.hanging),
        )

    def _begin_undoing(self, now: float) -> None:
        for name in [name for name in self._to_undo if name not in self._under]:
            rule, action = self._to_undo.pop(name)
            assert action.undo is not None
            run = self._runner.start(f"undo {name}", action.undo)
            self._under[name] = _Under(rule, action, run, now, undoing=True)


def _kind(under: _Under, *, failed: bool) -> Kind:
    if under.hanging:
        return "ended_late"
    if under.undoing:
        return "undo_failed" if failed else "undone"
    return "failed" if failed else "done"
