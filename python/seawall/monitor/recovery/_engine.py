"""The engine: evaluates rules, runs what they order, and tells everything."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from seawall.clock import Clock, SystemClock, WallClock
from seawall.errors import ConfigError
from seawall.monitor._loops import Loops
from seawall.monitor.recovery import _machine as machine
from seawall.monitor.recovery._action import Action, Budget
from seawall.monitor.recovery._audit import AuditTrail
from seawall.monitor.recovery._condition import Readings
from seawall.monitor.recovery._events import RecoveryEvent, RecoveryStats, RuleStats
from seawall.monitor.recovery._machine import Kind, Told
from seawall.monitor.recovery._rule import Rule
from seawall.monitor.recovery._runner import Runner, ThreadRunner
from seawall.monitor.recovery._runs import Runs
from seawall.patterns import Options, Signal, option

Read = Callable[[], float | None]


class RecoveryOptions(Options):
    """How an engine goes about its work."""

    every: float = option(default=1.0, unit="s", least=0.01, most=3600, help="between evaluations, once it runs")
    max_running: int = option(default=1, least=1, most=1000, unit="actions", help="at once; hanging ones do not count")
    dry_run: bool = option(default=False, help="tell what would be done, and do nothing")


@dataclass(slots=True)
class _Followed:
    """A rule, where it is, and what it has under way."""

    rule: Rule
    state: machine.State
    counts: Counter[str] = field(default_factory=Counter)

    def applied(self) -> list[Action]:
        """What is to be taken back one day."""
        return [self.rule.ladder[rung] for rung in self.state.applied]


class Recovery(Loops):
    """Watches conditions and acts on them, within bounds, and says everything it does.

    Guarantees: an action never runs twice at once, and starts no more often than its cool-down, its budget and the
    budget of the engine allow. A failing or hanging action is told and never keeps an evaluation waiting. Nothing is
    done on what is not known. An event is in the audit trail before the action that it tells of begins.

    Thread safety: yes; an evaluation that finds another one under way does nothing. `start` makes a thread, and
    `run_async` a task; the constructor makes neither. Start it after the fork of a worker.

    Args:
        rules: In the order of their importance.
        readings: Functions that give a present value, by name; None where nothing is known. They must not wait.
        before: Called at the beginning of each evaluation with the time in unix seconds; such as `Watch.look`.
        budget: Over all actions of the engine.
        audit: Where every event is written; a path or an AuditTrail.
        every: Seconds between evaluations.
        max_running: Actions at once, so that it is seen which one helped.
        dry_run: Tell what would be done, and do nothing.
        clock: What measures.
        wall: What stamps events, in unix seconds.
        runner: Where actions run; for tests.

    Raises:
        ConfigError: two rules of one name, two actions of one name, or an option that can never work.

    Example:
        >>> from seawall.monitor.recovery import Action, Recovery, Rule, above
        >>> shrink = Action("shrink the cache", lambda: "12 MiB freed")
        >>> recovery = Recovery([Rule("memory", above("memory", 0.9), [shrink])], readings={"memory": lambda: 0.95})
        >>> [str(event) for event in recovery.evaluate()]
        ['memory: began: memory above 0.9', 'memory: started shrink the cache']
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        readings: Mapping[str, Read] | None = None,
        before: Callable[[float], object] | None = None,
        budget: Budget | None = None,
        audit: AuditTrail | str | None = None,
        every: float = 1.0,
        max_running: int = 1,
        dry_run: bool = False,
        clock: Clock | None = None,
        wall: Callable[[], float] | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.options = RecoveryOptions(every=every, max_running=max_running, dry_run=dry_run)
        super().__init__("seawall-recovery", clock or SystemClock(), self.options.every)
        _check_names(rules)
        self.rules = tuple(rules)
        self.budget = budget
        self.audit = AuditTrail(audit) if isinstance(audit, str) else audit
        self.told: Signal[RecoveryEvent] = Signal("recovery.told", RecoveryEvent)
        self._readings, self._before = dict(readings or {}), before
        self._wall = wall or _unix
        self._followed = [_Followed(rule, machine.calm(len(rule.ladder))) for rule in self.rules]
        self._runner = runner or ThreadRunner()
        self._runs = Runs(self._runner, self.options.max_running)
        self._turn = threading.Lock()
        self._counts: Counter[str] = Counter()

    def evaluate(self) -> tuple[RecoveryEvent, ...]:
        """Read everything, decide, start what is to be done, and tell; never waits for an action."""
        if not self._turn.acquire(blocking=False):
            self._counts["skipped"] += 1
            return ()
        try:
            events = self._evaluate()
        finally:
            self._turn.release()
        for event in events:
            self.told.send(event)
        return tuple(events)

    def stats(self) -> RecoveryStats:
        """Where everything is."""
        rules = {
            each.rule.name: RuleStats(each.state.phase, _name_at(each.rule, each.state), dict(each.counts))
            for each in self._followed
        }
        running, hanging = self._runs.names()
        counts = [self._counts[name] for name in ("evaluations", "skipped", "reading_failures", "audit_failures")]
        return RecoveryStats(rules, running, hanging, *counts)

    async def run_async(self) -> None:
        """Evaluate in this task until it is cancelled; coroutine actions run in this loop."""
        runner = self._runner
        if isinstance(runner, ThreadRunner):
            runner.loop = asyncio.get_running_loop()
        try:
            await super().run_async()
        finally:
            if isinstance(runner, ThreadRunner):
                runner.loop = None

    def _evaluate(self) -> list[RecoveryEvent]:
        self._counts["evaluations"] += 1
        now, wall = self.clock.now_ns() / 1e9, self._wall()
        self._guarded(lambda: self._before(wall) if self._before else None)
        readings = Readings(now, {name: self._guarded(read) for name, read in self._readings.items()})
        events: list[RecoveryEvent] = []

        def tell(rule: str, kind: Kind, action: str | None = None, detail: str = "") -> None:
            events.append(RecoveryEvent(wall, rule, kind, action, detail, readings.values))
            # Before anything is done about it: what is started next may end this process.
            self._note(events[-1])

        for ended in self._runs.ended(now):
            tell(ended.rule, ended.kind, ended.action, ended.detail)
            self._take_end(ended.rule, ended.kind, ended.detail, now)
        for followed in self._followed:
            self._follow(followed, readings, now, tell)
        return events

    def _follow(self, followed: _Followed, readings: Readings, now: float, tell: _Tell) -> None:
        rule = followed.rule
        holds = self._holds(followed, readings, tell)
        step = machine.step(followed.state, rule.course, holds, now)
        followed.state = step.state
        for told in step.told:
            tell(rule.name, told.kind, _action_of(rule, told), told.detail or _why(rule, told))
        for rung in step.undo:
            action = rule.ladder[rung]
            if not any(action in each.applied() for each in self._followed):  # another rule may still rely on it
                tell(rule.name, "undo_started", action.name)
                self._runs.undo(rule.name, action, now)
        if step.start is not None:
            self._start(followed, rule.ladder[step.start], now, tell)

    def _start(self, followed: _Followed, action: Action, now: float, tell: _Tell) -> None:
        rule = followed.rule
        kind, detail = self._runs.free(action) or self._afford(action, dry=self._dry(rule)) or (None, "")
        if kind is not None:
            held = machine.held_up(followed.state, kind, detail)
            followed.state = held.state
            for told in held.told:
                tell(rule.name, told.kind, action.name, told.detail)
            return
        followed.state = machine.started(followed.state, now)
        if self._dry(rule):
            tell(rule.name, "would_start", action.name)
            followed.state = machine.ended(followed.state, "done", "", now, applied=False).state
            return
        tell(rule.name, "started", action.name)
        self._runs.start(rule.name, action, now)

    def _take_end(self, name: str, kind: Kind, detail: str, now: float) -> None:
        if kind not in ("done", "failed", "hung"):
            return
        followed = next(each for each in self._followed if each.rule.name == name)
        action = followed.rule.ladder[followed.state.rung]
        followed.state = machine.ended(followed.state, kind, detail, now, applied=action.undo is not None).state

    def _afford(self, action: Action, *, dry: bool) -> tuple[Kind, str] | None:
        budgets = [budget for budget in (action.budget, self.budget) if budget is not None]
        for budget in budgets:
            wait = budget.wait()
            if wait > 0:
                return "refused", f"{budget.limit} in {budget.window} s are spent, for {wait:.3g} s"
        if not dry and not all(budget.take() for budget in budgets):
            return "refused", "another worker was quicker"
        return None

    def _holds(self, followed: _Followed, readings: Readings, tell: _Tell) -> bool | None:
        held = followed.state.phase not in ("calm", "pending")
        try:
            return followed.rule.condition.holds(readings, held)
        except Exception as error:  # noqa: BLE001 - one condition must not keep the others from being evaluated
            if not followed.counts["unknown"]:
                tell(followed.rule.name, "unknown", None, f"{type(error).__name__}: {error}")
            followed.counts["unknown"] += 1
            return None

    def _guarded(self, read: Callable[[], object]) -> float | None:
        try:
            value = read()
        except Exception:  # noqa: BLE001 - one reading must not keep the others from being taken
            self._counts["reading_failures"] += 1
            return None
        return float(value) if isinstance(value, (int, float)) else None

    def _note(self, event: RecoveryEvent) -> None:
        if event.kind != "unknown":
            next(each for each in self._followed if each.rule.name == event.rule).counts[event.kind] += 1
        if self.audit is None:
            return
        try:
            self.audit.write(event)
        except (OSError, ValueError, TypeError):
            # The signal still tells; a full disk must not end the healing.
            self._counts["audit_failures"] += 1

    def _dry(self, rule: Rule) -> bool:
        return self.options.dry_run or rule.dry_run

    def __repr__(self) -> str:
        return (
            f"<Recovery of {', '.join(rule.name for rule in self.rules)}{', dry run' if self.options.dry_run else ''}>"
        )


_Tell = Callable[..., None]


def _unix() -> float:
    return WallClock().now_ns() / 1e9


def _check_names(rules: Sequence[Rule]) -> None:
    names = Counter(rule.name for rule in rules)
    twice = [name for name, count in names.items() if count > 1]
    if not rules or twice:
        raise ConfigError(f"rules must be at least one, each with a name of its own, got {twice or 'none'}")
    actions: dict[str, Action] = {}
    for action in (action for rule in rules for action in rule.ladder):
        if actions.setdefault(action.name, action) is not action:
            raise ConfigError(
                f"two actions are called {action.name!r}; give each a name of its own, or both rules the same Action"
            )


def _name_at(rule: Rule, state: machine.State) -> str | None:
    return (
        rule.ladder[state.rung].name
        if state.phase in ("ready", "running", "settling") and state.rung < len(rule.ladder)
        else None
    )


def _action_of(rule: Rule, told: Told) -> str | None:
    return None if told.rung is None else rule.ladder[told.rung].name


def _why(rule: Rule, told: Told) -> str:
    if told.kind == "began":
        return rule.condition.name
    return f"after {rule.ladder[told.rung].settle:g} s" if told.kind == "no_help" and told.rung is not None else ""
