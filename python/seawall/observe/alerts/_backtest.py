"""What rules would have done over a recording."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from seawall.errors import ConfigError
from seawall.observe._recording import Recording
from seawall.observe._snapshot import Snapshot
from seawall.observe.alerts._checks import seconds_of
from seawall.observe.alerts._evaluation import Evaluation, Outcome, Plan, Transition, evaluate, known_groups, settle
from seawall.observe.alerts._moment import Moment
from seawall.observe.alerts._mutes import Inhibition, Silence
from seawall.observe.alerts._notifier import Notification
from seawall.observe.alerts._readout import read
from seawall.observe.alerts._routes import Route
from seawall.observe.alerts._rule import Rule
from seawall.observe.alerts._state import State
from seawall.observe.alerts._timeline import html_of, svg_of
from seawall.observe.alerts._times import lasting, rfc3339

MOST_EPISODES = 10_000


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that an alert was pending, and perhaps fired.

    Units: unix seconds.

    Attributes:
        rule: Name of the rule.
        severity: The rule's.
        labels: All labels of the alert.
        pending_at: When its condition began to hold.
        fired_at: When it fired; None when it never did.
        ended_at: When it resolved, or was no longer pending; None when it still was at the end.
        value: The last one read when it moved.
    """

    rule: str
    severity: str
    labels: Mapping[str, str]
    pending_at: float
    fired_at: float | None = None
    ended_at: float | None = None
    value: float | None = None

    @property
    def group(self) -> str:
        """Its labels but for those that the rule sets."""
        return ", ".join(f"{n}={v}" for n, v in sorted(self.labels.items()) if n not in ("alertname", "severity"))

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "rule": self.rule, "severity": self.severity, "labels": dict(self.labels), "pending_at": self.pending_at,
            "fired_at": self.fired_at, "ended_at": self.ended_at, "value": self.value,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """What `backtest` found.

    Attributes:
        begin: The first moment looked at, in unix seconds.
        end: The last one.
        rules: Names of all rules, those that never moved, too.
        episodes: In the order in which they began.
        notifications: What would have been told.
        errors: Rules that could not be read, and why.
        dropped: Episodes beyond 10,000.
    """

    begin: float
    end: float
    rules: tuple[str, ...]
    episodes: tuple[Episode, ...] = ()
    notifications: tuple[Notification, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    dropped: int = 0

    @property
    def fired(self) -> tuple[Episode, ...]:
        """The episodes that fired."""
        return tuple(episode for episode in self.episodes if episode.fired_at is not None)

    def table(self) -> str:
        """A line for each episode, and one for each rule that had none."""
        head = ("rule", "severity", "group", "pending at", "fired after", "fired for", "value")
        rows = [head, *(_row(episode, self.end) for episode in self.episodes)]
        quiet = sorted(set(self.rules) - {episode.rule for episode in self.episodes})
        rows += [(name, "", "", "never", "", "", "") for name in quiet]
        widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "begin": self.begin, "end": self.end, "rules": list(self.rules), "errors": dict(self.errors),
            "episodes": [episode.to_dict() for episode in self.episodes],
            "notifications": [told.to_dict() for told in self.notifications], "dropped": self.dropped,
        }  # fmt: skip

    def svg(self) -> str:
        """A timeline: a row for each alert, light while pending, dark while firing."""
        return svg_of(self.episodes, self.begin, self.end)

    def html(self) -> str:
        """A page of its own with the timeline and the table."""
        return html_of(self.svg(), self.table(), f"{rfc3339(self.begin)} to {rfc3339(self.end)}", dict(self.errors))

    def __repr__(self) -> str:
        told = f"{len(self.fired)} fired, {len(self.notifications)} notifications"
        return f"<BacktestReport over {lasting(self.end - self.begin)}: {len(self.episodes)} episodes, {told}>"


def backtest(
    rules: Sequence[Rule],
    recording: Recording | Sequence[Snapshot] | str | os.PathLike[str],
    *,
    every: float | None = None,
    route: Route | None = None,
    inhibitions: Iterable[Inhibition] = (),
    silences: Iterable[Silence] = (),
    begin: float | None = None,
    end: float | None = None,
) -> BacktestReport:
    """Run rules over a recording and say when they would have fired, and whom they would have told.

    Guarantees: the machines are those of `Alerts`; nothing is sent. Where the recording is thin, so is what is seen.
    Cost: as many evaluations as there are moments; three days of default tiers take seconds.

    Args:
        rules: As for `Alerts`.
        recording: Or snapshots, oldest first, or the path of what `Recording.save` wrote.
        every: Look every so many seconds; by default at each snapshot.
        route: By default everything goes to one receiver, "backtest".
        inhibitions: As for `Alerts`.
        silences: As for `Alerts`.
        begin: Look from here on, in unix seconds; by default from the first snapshot.
        end: Until here; by default the last snapshot.

    Raises:
        ConfigError: there is no snapshot.
        ValueError: a line of the file is no snapshot.

    Example:
        >>> from seawall.observe import Family, Sample
        >>> from seawall.observe.alerts import Value
        >>> past = [Snapshot(at, (Family("depth", "gauge", (Sample((), at),)),)) for at in (0.0, 10.0, 20.0, 30.0)]
        >>> print(backtest([Rule("Deep", Value("depth"), above=5, for_=15)], past).table())
        rule  severity  group  pending at                fired after  fired for  value
        Deep  warning          1970-01-01T00:00:10.000Z  20s          0s+        30
    """
    if isinstance(recording, (str, os.PathLike)):
        recording = Recording.load(recording)
    whole = tuple(recording)
    if not whole:
        raise ConfigError("a back-test needs a recording with at least one snapshot, got none")
    begin = whole[0].at if begin is None else begin
    end = whole[-1].at if end is None else end
    tree = (route or Route("backtest")).resolved()
    receivers = tuple(dict.fromkeys(name for leaf in tree.all() for name in leaf.receivers))
    plan = Plan(tuple(rules), tree, receivers, tuple(inhibitions))
    found = _Found()
    state = State(silences={silence.id: silence for silence in silences})
    at_all = Moment(whole, begin)
    for now in _moments(whole, every, begin, end):
        readouts = read(plan.rules, at_all.then(now), known_groups(state))
        state, evaluation = evaluate(plan, state, readouts, now)
        state = settle(plan, state, [Outcome(told) for told in evaluation.notifications])
        found.add(evaluation)
    names = tuple(dict.fromkeys(rule.name for rule in rules))
    return BacktestReport(
        begin, end, names, tuple(found.episodes), tuple(found.told), found.errors, max(0, found.begun - MOST_EPISODES)
    )


class _Found:
    """Transitions made into episodes."""

    def __init__(self) -> None:
        self.episodes: list[Episode] = []
        self.told: list[Notification] = []
        self.errors: dict[str, str] = {}
        self.begun = 0
        self._open: dict[tuple[tuple[str, str], ...], int] = {}

    def add(self, evaluation: Evaluation) -> None:
        self.told += evaluation.notifications
        self.errors.update(evaluation.errors)
        for transition in evaluation.transitions:
            self._add(transition)

    def _add(self, moved: Transition) -> None:
        who = tuple(sorted(moved.labels.items()))
        if who not in self._open:
            self.begun += 1
            if len(self.episodes) >= MOST_EPISODES:
                return
            self._open[who] = len(self.episodes)
            severity = moved.labels.get("severity", "")
            self.episodes.append(Episode(moved.rule, severity, moved.labels, moved.at, None, None, moved.value))
        place = self._open[who]
        episode = self.episodes[place]
        if moved.move == "firing":
            self.episodes[place] = replace(episode, fired_at=moved.at, value=moved.value)
        elif moved.move in ("resolved", "inactive"):
            self.episodes[place] = replace(episode, ended_at=moved.at)
            del self._open[who]


def _moments(whole: Sequence[Snapshot], every: float | None, begin: float, end: float) -> Iterable[float]:
    if every is None:
        return [snapshot.at for snapshot in whole if begin <= snapshot.at <= end]
    step = seconds_of(every, "every", least=1e-3)
    return (begin + place * step for place in range(int((end - begin) / step) + 1))


def _row(episode: Episode, end: float) -> tuple[str, ...]:
    after, lasted = "never", ""
    if episode.fired_at is not None:
        after = lasting(episode.fired_at - episode.pending_at)
        over = episode.ended_at is not None
        lasted = lasting((episode.ended_at if over else end) - episode.fired_at) + ("" if over else "+")  # type: ignore[operator]
    value = "" if episode.value is None else f"{episode.value:.4g}"
    return episode.rule, episode.severity, episode.group, rfc3339(episode.pending_at), after, lasted, value
