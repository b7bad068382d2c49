"""A world in which actions end when a scenario says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seawall.clock import ManualClock
from seawall.monitor.recovery import Recovery, RecoveryEvent, Rule


@dataclass
class ManualRun:
    """An action that runs until it is told how it ends."""

    name: str
    work: Callable[[], Any]
    done: bool = False
    failed: bool = False
    detail: str = ""
    given_up: bool = False

    def give_up(self) -> None:
        """A thread cannot be ended."""
        self.given_up = True

    def end(self, detail: str = "", *, failed: bool = False) -> None:
        """It has ended."""
        self.done, self.failed, self.detail = True, failed, detail


@dataclass
class ManualRunner:
    """Starts runs and remembers them."""

    under: dict[str, ManualRun] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)

    def start(self, name: str, work: Callable[[], Any]) -> ManualRun:
        """Begin; the same name twice at once is what must never happen."""
        before = self.under.get(name)
        assert before is None or before.done, f"{name} runs twice at once"
        self.started.append(name)
        self.under[name] = run = ManualRun(name, work)
        return run


class World:
    """Rules on a manual clock, whose readings and actions a test moves, and a transcript of what was told."""

    def __init__(self, *rules: Rule, clock: ManualClock | None = None, **options: Any) -> None:
        self.clock = clock or ManualClock(1000)
        self.runner = ManualRunner()
        self.values: dict[str, float | None] = {}
        self.lines: list[str] = []
        names = ("load", "memory")
        self.engine = Recovery(
            rules,
            readings={name: (lambda name=name: self.values.get(name)) for name in names},
            clock=self.clock,
            wall=self.clock.time,
            runner=self.runner,
            **options,
        )

    def look(self, after: float = 0.0, **values: float | None) -> tuple[RecoveryEvent, ...]:
        """Let time pass, set readings, evaluate; what was told."""
        self.clock.advance(after)
        self.values.update(values)
        told = self.engine.evaluate()
        self.lines += [f"{self.clock.time() - 1000:>6g}  {event}" for event in told]
        return told

    def end(self, name: str, detail: str = "", *, failed: bool = False) -> None:
        """An action ends."""
        self.runner.under[name].end(detail, failed=failed)
