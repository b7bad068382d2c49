"""When who is told of which alerts: groups that wait, tell, and repeat."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seawall.observe.alerts._alert import Alert, Status
from seawall.observe.alerts._routes import Leaf

MOST_GROUPS = 10_000
OWED_FOR = 86_400.0
"""A receiver that could not be reached is told of an alert that resolved meanwhile for as long as this."""
_OWN_PATH = "!"


@dataclass(frozen=True, slots=True)
class Notification:
    """What one receiver is told at one time.

    Attributes:
        id: The same for the same notification, also when it is sent a second time.
        receiver: The name of a channel.
        group: The key of the group.
        group_labels: What its alerts have in common by intention.
        alerts: Firing ones first.
        at: Unix seconds.
    """

    id: str
    receiver: str
    group: str
    group_labels: Mapping[str, str]
    alerts: tuple[Alert, ...]
    at: float

    @property
    def status(self) -> Status:
        """Firing while any of its alerts is."""
        return "firing" if any(alert.status == "firing" for alert in self.alerts) else "resolved"

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "id": self.id, "receiver": self.receiver, "group": self.group, "group_labels": dict(self.group_labels),
            "alerts": [alert.to_dict() for alert in self.alerts], "at": self.at,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Notification:
        """What `to_dict` wrote."""
        alerts = tuple(Alert.from_dict(each) for each in data["alerts"])
        return cls(data["id"], data["receiver"], data["group"], data["group_labels"], alerts, data["at"])


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver knows of a group.

    Attributes:
        at: When it was last told; None after it could not be.
        firing: Fingerprints that it knows to fire.
        lost: Fingerprints of what it could not be told: it will hear of them even if they only resolve.
        owed: Resolved alerts that it could not be told of.
    """

    at: float | None = None
    firing: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    owed: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that are told together.

    Attributes:
        path: Of the route.
        labels: What they have in common.
        alerts: By fingerprint: those that fire, and those that resolved since they were last looked at.
        due: When it is next looked at.
        told: By receiver.
    """

    path: str
    labels: Mapping[str, str]
    due: float
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    told: Mapping[str, Told] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to tell."""
        return not self.alerts and not any(told.owed for told in self.told.values())

    def shifted(self, seconds: float) -> Group:
        """The same, with what measures time moved."""
        told = {
            name: replace(each, at=None if each.at is None else each.at + seconds) for name, each in self.told.items()
        }
        return replace(self, due=self.due + seconds, told=told)


Groups = Mapping[str, Group]


def notify(
    groups: Groups, route: Leaf, alerts: Iterable[Alert], muted: Callable[[Alert], bool], now: float
) -> tuple[dict[str, Group], list[Notification], int]:
    """The groups after a look at all alerts, what is to be told, and how many alerts found no place in a group.

    Args:
        groups: Before.
        route: The outermost one.
        alerts: All that fire, and those that resolved since the last time.
        muted: Whether nobody need be told.
        now: Unix seconds, never less than before.
    """
    after = dict(groups)
    homeless = sum(not _put(after, leaf, alert, now) for alert in alerts for leaf in _leaves(route, alert))
    routes = {leaf.path: leaf for leaf in route.all()}
    told: list[Notification] = []
    for key in sorted(key for key, group in after.items() if group.due <= now):
        group = after.pop(key)
        taken = routes.get(group.path) or _own(group, route)
        if taken is not None:  # None when the route is gone since the state was stored
            group, news = _flush(key, group, taken, muted, now)
            told += news
            if not group.finished:
                after[key] = group
    return after, told, homeless


def failed(groups: Groups, told: Notification, route: Leaf) -> dict[str, Group]:
    """The groups after a receiver could not be told: it will be, when its group is next looked at."""
    path = told.group.partition(":")[0]
    intervals = {leaf.path: leaf.group_interval for leaf in route.all()}
    new = Group(path, told.group_labels, told.at + intervals.get(path, route.group_interval))
    group = groups.get(told.group, new)
    knew = group.told.get(told.receiver, Told())
    lost = {alert.fingerprint for alert in told.alerts}
    owed = {alert.fingerprint: alert for alert in knew.owed}
    owed.update((alert.fingerprint, alert) for alert in told.alerts if alert.status == "resolved")
    then = Told(None, knew.firing - lost, knew.lost | lost, tuple(owed.values()))
    return {**groups, told.group: replace(group, told={**group.told, told.receiver: then})}


def _leaves(route: Leaf, alert: Alert) -> tuple[Leaf, ...]:
    if alert.receivers is None:
        return route.of(alert.labels)
    return (_leaf_for(alert.receivers, route),)


def _leaf_for(receivers: tuple[str, ...], route: Leaf) -> Leaf:
    usual = (route.group_interval, route.repeat_interval, True)
    return Leaf(_OWN_PATH + ",".join(receivers), (), receivers, "...", 0.0, *usual)


def _own(group: Group, route: Leaf) -> Leaf | None:
    if not group.path.startswith(_OWN_PATH):
        return None
    return _leaf_for(tuple(filter(None, group.path[len(_OWN_PATH) :].split(","))), route)


def _put(groups: dict[str, Group], leaf: Leaf, alert: Alert, now: float) -> bool:
    """False when there are too many groups."""
    labels = leaf.group_labels(alert.labels)
    key = f"{leaf.path}:{json.dumps(labels, sort_keys=True, separators=(',', ':'))}"
    group = groups.get(key)
    if group is None:
        if alert.status == "resolved":
            return True
        if len(groups) >= MOST_GROUPS:
            return False
        group = Group(leaf.path, labels, now + leaf.group_wait)
    groups[key] = replace(group, alerts={**group.alerts, alert.fingerprint: alert})
    return True


def _flush(
    key: str, group: Group, leaf: Leaf, muted: Callable[[Alert], bool], now: float
) -> tuple[Group, list[Notification]]:
    ended = {mark for mark, alert in group.alerts.items() if alert.status == "resolved"}
    told: dict[str, Told] = {}
    news: list[Notification] = []
    for receiver in leaf.receivers:
        knew = group.told.get(receiver, Told())
        firing = [each for each in group.alerts.values() if each.status == "firing" and not muted(each)]
        over = _over(knew, group, leaf, now)
        resolved = [alert for alert in over if not muted(alert)]
        owed = tuple(alert for alert in over if muted(alert))  # silenced: it will hear when that is over
        marks = {alert.fingerprint for alert in firing}
        if _is_due(knew, marks, resolved, leaf, now):
            alerts = (*sorted(firing, key=_order), *sorted(resolved, key=_order))
            news.append(Notification(_id(key, receiver, now), receiver, key, group.labels, alerts, now))
            told[receiver] = Told(now, (knew.firing - ended) | marks, knew.lost - ended - marks, owed)
        else:
            told[receiver] = Told(knew.at, knew.firing - ended, knew.lost - ended, owed)
    left = {mark: alert for mark, alert in group.alerts.items() if mark not in ended}
    return replace(group, alerts=left, told=told, due=now + leaf.group_interval), news


def _over(knew: Told, group: Group, leaf: Leaf, now: float) -> list[Alert]:
    """The resolved alerts that a receiver has to be told of."""
    if not leaf.send_resolved:
        return []
    known = knew.firing | knew.lost
    found = [alert for mark, alert in group.alerts.items() if alert.status == "resolved" and mark in known]
    return found + [
        alert
        for alert in knew.owed
        if alert.fingerprint not in group.alerts and now - (alert.ends_at or now) < OWED_FOR
    ]


def _is_due(knew: Told, firing: set[str], resolved: list[Alert], leaf: Leaf, now: float) -> bool:
    if resolved or not firing <= knew.firing:
        return True
    return bool(firing) and (knew.at is None or now - knew.at >= leaf.repeat_interval)


def _order(alert: Alert) -> tuple[float, list[tuple[str, str]]]:
    return alert.starts_at, sorted(alert.labels.items())


def _id(key: str, receiver: str, at: float) -> str:
    return hashlib.sha256(f"{key}\n{receiver}\n{at!r}".encode("utf-8", "surrogatepass")).hexdigest()[:20]
