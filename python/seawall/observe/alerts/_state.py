"""All that alerts remember: what survives a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seawall.observe._snapshot import Labels
from seawall.observe.alerts._alert import Alert
from seawall.observe.alerts._machine import Instance
from seawall.observe.alerts._mutes import Silence
from seawall.observe.alerts._notifier import Group, Notification, Told

VERSION = 1
Key = tuple[str, Labels]


@dataclass(frozen=True, slots=True)
class State:
    """Alerts, groups, silences and what is under way, as a value.

    Attributes:
        now: When it was last looked at, in unix seconds; None at first.
        instances: By rule and group.
        groups: By key.
        outbox: Notifications of which it is not known that they arrived.
        silences: By id.
        failing: Channels that could not be reached, and why.
    """

    now: float | None = None
    instances: Mapping[Key, Instance] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    outbox: Mapping[str, Notification] = field(default_factory=dict)
    silences: Mapping[str, Silence] = field(default_factory=dict)
    failing: Mapping[str, str] = field(default_factory=dict)

    def shifted(self, seconds: float) -> State:
        """The same, with all that measures time moved; silences stay, as people mean their times."""
        return replace(
            self,
            now=None if self.now is None else self.now + seconds,
            instances={key: instance.shifted(seconds) for key, instance in self.instances.items()},
            groups={key: group.shifted(seconds) for key, group in self.groups.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "version": VERSION,
            "now": self.now,
            "instances": [[key, dict(group), each.to_list()] for (key, group), each in self.instances.items()],
            "groups": {key: _group_to_dict(group) for key, group in self.groups.items()},
            "outbox": [each.to_dict() for each in self.outbox.values()],
            "silences": [each.to_dict() for each in self.silences.values()],
            "failing": dict(self.failing),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        """What `to_dict` wrote.

        Raises:
            ValueError: it is of another version, or damaged.
        """
        try:
            if data["version"] != VERSION:
                raise ValueError(f"it is of version {data['version']!r}, not {VERSION}")
            silences = [Silence.from_dict(each) for each in data["silences"]]
            outbox = [Notification.from_dict(each) for each in data["outbox"]]
            return cls(
                data["now"],
                {(key, tuple(sorted(group.items()))): Instance(*each) for key, group, each in data["instances"]},
                {key: _group_from_dict(each) for key, each in data["groups"].items()},
                {each.id: each for each in outbox},
                {each.id: each for each in silences},
                dict(data["failing"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is not what was saved: {error!r}") from error


def _group_to_dict(group: Group) -> dict[str, Any]:
    return {
        "path": group.path,
        "labels": dict(group.labels),
        "due": group.due,
        "alerts": [alert.to_dict() for alert in group.alerts.values()],
        "told": {
            name: [told.at, sorted(told.firing), sorted(told.lost), [alert.to_dict() for alert in told.owed]]
            for name, told in group.told.items()
        },
    }


def _group_from_dict(data: dict[str, Any]) -> Group:
    alerts = [Alert.from_dict(each) for each in data["alerts"]]
    told = {
        name: Told(at, frozenset(firing), frozenset(lost), tuple(Alert.from_dict(each) for each in owed))
        for name, (at, firing, lost, owed) in data["told"].items()
    }
    return Group(data["path"], data["labels"], data["due"], {alert.fingerprint: alert for alert in alerts}, told)
