"""One look at everything: what moved, and who is to be told; a pure function of state, readings and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from seawall.errors import ConfigError
from seawall.observe._snapshot import Labels
from seawall.observe.alerts._alert import Alert
from seawall.observe.alerts._filling import fill
from seawall.observe.alerts._machine import Instance, Move, Timing, advance
from seawall.observe.alerts._mutes import KEPT, Inhibition
from seawall.observe.alerts._notifier import Notification, failed, notify
from seawall.observe.alerts._readout import Readout
from seawall.observe.alerts._routes import Leaf
from seawall.observe.alerts._rule import Rule
from seawall.observe.alerts._state import State

OUTAGE = 3_600.0
"""After a longer gap between two evaluations nobody knows that a condition held: pending alerts begin anew."""


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert that moved.

    Attributes:
        move: To "pending", "firing", "resolved", or from pending back to "inactive".
        rule: Name of the rule.
        labels: All labels of the alert.
        at: Unix seconds.
        value: The last one read.
        alert: As it is told; None for one that does not fire and did not.
    """

    move: Move
    rule: str
    labels: Mapping[str, str]
    at: float
    value: float | None
    alert: Alert | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a notification arrived; `error` is "" when it did."""

    notification: Notification
    error: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What does not change between evaluations.

    Attributes:
        decorate: What to add to the annotations of an alert that begins to fire.
    """

    rules: tuple[Rule, ...]
    route: Leaf
    channels: tuple[str, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    decorate: Callable[[Alert], Mapping[str, str]] | None = None

    def __post_init__(self) -> None:
        keys = [rule.key for rule in self.rules]
        for key in keys:
            if keys.count(key) > 1:
                raise ConfigError(f"rules must differ in name or severity, got {key!r} twice")
        for leaf in self.route.all():
            for name in leaf.receivers:
                if name not in self.channels:
                    known = ", ".join(map(repr, self.channels)) or "none"
                    raise ConfigError(f"a route names the channel {name!r}, which is not there; there is: {known}")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one look at everything found.

    Attributes:
        at: Unix seconds.
        transitions: What moved.
        notifications: Who is to be told what.
        errors: Rules that could not be read, and why.
        dropped: Groups beyond the `max_groups` of a rule, by rule; under "groups", alerts beyond 10,000 groups.
    """

    at: float
    transitions: tuple[Transition, ...] = ()
    notifications: tuple[Notification, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


def evaluate(plan: Plan, state: State, readouts: Mapping[str, Readout], now: float) -> tuple[State, Evaluation]:
    """The state after a look at everything, and what it found."""
    look = _Look(plan, _in_time(state, now), readouts, now)
    for rule in plan.rules:
        look.at_rule(rule)
    look.at_ourselves()
    look.at_what_is_gone()
    alerts, state = look.alerts.values(), look.after()
    groups, told, homeless = notify(state.groups, plan.route, alerts, mute_of(plan, state, alerts, now), now)
    outbox = {**state.outbox, **{each.id: each for each in told}}
    dropped = {key: readout.dropped for key, readout in readouts.items() if readout.dropped}
    if homeless:
        dropped["groups"] = homeless
    found = Evaluation(now, tuple(look.transitions), tuple(told), look.errors, dropped)
    return replace(state, groups=groups, outbox=outbox), found


def settle(plan: Plan, state: State, outcomes: Iterable[Outcome]) -> State:
    """The state after it is known what became of notifications."""
    groups, outbox, failing = state.groups, dict(state.outbox), dict(state.failing)
    for outcome in outcomes:
        told = outcome.notification
        if outbox.pop(told.id, None) is None:
            continue
        if outcome.error:
            failing[told.receiver] = outcome.error
            groups = failed(groups, told, plan.route)
        else:
            failing.pop(told.receiver, None)
    return replace(state, groups=groups, outbox=outbox, failing=failing)


def mute_of(plan: Plan, state: State, alerts: Iterable[Alert], now: float) -> Callable[[Alert], bool]:
    """Whether nobody need be told of an alert, as silences and inhibitions stand now."""
    firing = [alert.labels for alert in alerts if alert.status == "firing"]

    def muted(alert: Alert) -> bool:
        if any(silence.silences(alert.labels, now) for silence in state.silences.values()):
            return True
        return any(inhibition.mutes(alert.labels, firing) for inhibition in plan.inhibitions)

    return muted


def _in_time(state: State, now: float) -> State:
    """The state as a clock sees it that went back, or stood still while nobody looked."""
    if state.now is None:
        return state
    if now < state.now:
        return state.shifted(now - state.now)
    if now - state.now <= OUTAGE:
        return state
    instances = {
        key: replace(instance, active_at=now) if instance.phase == "pending" else instance
        for key, instance in state.instances.items()
    }
    return replace(state, instances=instances)


class _Look:
    """What a look at everything has found so far."""

    def __init__(self, plan: Plan, state: State, readouts: Mapping[str, Readout], now: float) -> None:
        self._plan, self._state, self._readouts, self._now = plan, state, readouts, now
        self._instances: dict[tuple[str, Labels], Instance] = {}
        self._told_before = _told_alerts(state)
        self.transitions: list[Transition] = []
        self.alerts: dict[str, Alert] = {}
        self.errors = {key: readout.error for key, readout in readouts.items() if readout.error}

    def at_rule(self, rule: Rule) -> None:
        """Move the alerts of a rule."""
        readout = self._readouts.get(rule.key, Readout())
        timing = Timing(rule.for_, rule.keep_firing_for)
        for group in _groups(rule, self._state, readout):
            before = self._state.instances.get((rule.key, group))
            value = readout.values.get(group)
            after, move = advance(before, timing, _holds(rule, readout, group, before), value, self._now)
            if after is not None:
                self._instances[rule.key, group] = after
            told = self._told(rule, readout, group, after or before, move)
            if told is not None:
                self.alerts[told.fingerprint] = told
            if move is not None:
                value = value if value is not None else getattr(before, "value", None)
                self.transitions.append(Transition(move, rule.name, rule.labels_for(group), self._now, value, told))

    def at_ourselves(self) -> None:
        """What is wrong with channels and rules is alerted, too."""
        for channel, why in self._state.failing.items():
            others = tuple(name for name in self._plan.channels if name != channel)
            labels = {"alertname": "SeawallChannelFailing", "channel": channel, "severity": "page"}
            said = {"summary": f"alerts cannot be told through the channel {channel}: {why}"}
            self._own(Alert(labels, said, self._now, None, None, others))
        for key, why in self.errors.items():
            labels = {"alertname": "SeawallRuleFailing", "rule": key, "severity": "page"}
            self._own(Alert(labels, {"summary": f"the rule {key} cannot be read: {why}"}, self._now))

    def at_what_is_gone(self) -> None:
        """Who was told of an alert whose rule is no longer there hears that it has resolved."""
        for mark, alert in self._told_before.items():
            if mark not in self.alerts:
                self.alerts[mark] = replace(alert, ends_at=self._now)

    def after(self) -> State:
        """The state but for who is told."""
        silences = {key: each for key, each in self._state.silences.items() if each.ends_at > self._now - KEPT}
        return replace(self._state, now=self._now, instances=self._instances, silences=silences)

    def _own(self, alert: Alert) -> None:
        before = self._told_before.get(alert.fingerprint)
        self.alerts[alert.fingerprint] = alert if before is None else replace(alert, starts_at=before.starts_at)

    def _told(
        self, rule: Rule, readout: Readout, group: Labels, instance: Instance | None, move: Move | None
    ) -> Alert | None:
        """The alert as it is told; None for one that does not fire and did not."""
        if instance is None or instance.fired_at is None:
            return None
        labels = rule.labels_for(group)
        ends_at = self._now if move == "resolved" else None
        alert = Alert(labels, {}, instance.fired_at, ends_at, instance.value)
        known = {"name": rule.name, "value": instance.value, "threshold": rule.threshold}
        names = {**(readout.fields.get(group) or {}), **labels, **known}
        annotations = {name: fill(text, names) for name, text in rule.annotations.items()}
        if self._plan.decorate is not None:
            annotations.update(self._plan.decorate(alert))
        return replace(alert, annotations=annotations)


def _groups(rule: Rule, state: State, readout: Readout) -> list[Labels]:
    known = {group for key, group in state.instances if key == rule.key}
    # A rule that sees nothing at all still has something to say about no data.
    seen = set(readout.values) or ({()} if not readout.error else set())
    return sorted(known | seen)


def _holds(rule: Rule, readout: Readout, group: Labels, before: Instance | None) -> bool | None:
    if readout.error:
        return None
    if group == () and rule.by and group not in readout.values and readout.values:
        return False  # there is data again, so it is not the rule as a whole that has none
    return rule.holds(readout.values.get(group), before is not None and before.phase == "firing")


def _told_alerts(state: State) -> dict[str, Alert]:
    alerts = [alert for group in state.groups.values() for alert in group.alerts.values()]
    return {alert.fingerprint: alert for alert in alerts if alert.status == "firing"}


def known_groups(state: State) -> dict[str, set[Labels]]:
    """The groups each rule has alerts for."""
    known: dict[str, set[Labels]] = {}
    for key, group in state.instances:
        known.setdefault(key, set()).add(group)
    return known
