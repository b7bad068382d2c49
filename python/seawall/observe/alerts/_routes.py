"""To whom alerts go, and how often: a tree, as Alertmanager has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seawall.errors import ConfigError
from seawall.observe.alerts._checks import labels_of, name_of, seconds_of
from seawall.observe.alerts._matchers import Matcher, all_match, matchers_of

GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL = 30.0, 300.0, 4 * 3_600.0


class Route:
    """Alerts that match go to `receivers`, those of a group together; what `routes` match goes there instead.

    What is left out is as in the route above.

    Units: seconds.

    Args:
        receivers: Names of channels.
        match: Matchers, all of which must match; the outermost route matches everything.
        group_by: Labels; alerts with equal values are told together. "..." tells each alert for itself.
        group_wait: How long a new group waits for more alerts, 30 by default.
        group_interval: At least so long between two notifications of a group, 300 by default.
        repeat_interval: What has not changed is told again after so long, 4 h by default.
        send_resolved: Tell also that an alert has resolved; True by default.
        go_on: Try the routes after this one, too.
        routes: Tried in order, the first that matches takes the alert.

    Source: Prometheus Alertmanager, `route` of its configuration.

    Example:
        >>> route = Route("log", routes=[Route(["hook", "mail"], match={"severity": "page"}, group_wait=0)])
        >>> [leaf.receivers for leaf in route.resolved().of({"severity": "page"})]
        [('hook', 'mail')]
    """

    def __init__(
        self,
        receivers: str | Sequence[str] | None = None,
        *,
        match: Mapping[str, str] | str | Matcher | Iterable[str | Matcher] = (),
        group_by: str | Sequence[str] | None = None,
        group_wait: float | None = None,
        group_interval: float | None = None,
        repeat_interval: float | None = None,
        send_resolved: bool | None = None,
        go_on: bool = False,
        routes: Sequence[Route] = (),
    ) -> None:
        self.receivers = None if receivers is None else (receivers,) if isinstance(receivers, str) else tuple(receivers)
        for name in self.receivers or ():
            name_of(name, "receivers")
        self.match = matchers_of(match)
        self.group_by = group_by if group_by in (None, "...") else labels_of(group_by, "group_by")
        self.group_wait = None if group_wait is None else seconds_of(group_wait, "group_wait")
        self.group_interval = (
            None if group_interval is None else seconds_of(group_interval, "group_interval", least=1e-3)
        )
        self.repeat_interval = (
            None if repeat_interval is None else seconds_of(repeat_interval, "repeat_interval", least=1e-3)
        )
        self.send_resolved = send_resolved
        self.go_on = go_on
        self.routes = tuple(routes)

    def resolved(self) -> Leaf:
        """The same with everything said that was left out.

        Raises:
            ConfigError: the outermost route has no receivers, or does not match everything.
        """
        if self.receivers is None:
            raise ConfigError("the outermost route needs receivers: channels that get what no other route takes")
        if self.match:
            raise ConfigError("the outermost route must match everything: put match= on a route inside it")
        usual = Leaf("", (), self.receivers, ("alertname",), GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL, True, False)
        return self._under(usual, "0")

    def _under(self, above: Leaf, path: str) -> Leaf:
        here = Leaf(
            path,
            self.match,
            _or(self.receivers, above.receivers),
            _or(self.group_by, above.group_by),
            _or(self.group_wait, above.group_wait),
            _or(self.group_interval, above.group_interval),
            _or(self.repeat_interval, above.repeat_interval),
            _or(self.send_resolved, above.send_resolved),
            self.go_on,
        )
        inside = tuple(route._under(here, f"{path}.{place}") for place, route in enumerate(self.routes))
        return replace(here, routes=inside)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A route of which nothing is left out."""

    path: str
    match: tuple[Matcher, ...]
    receivers: tuple[str, ...]
    group_by: tuple[str, ...] | str
    group_wait: float
    group_interval: float
    repeat_interval: float
    send_resolved: bool
    go_on: bool = False
    routes: tuple[Leaf, ...] = ()

    def of(self, labels: Mapping[str, str]) -> tuple[Leaf, ...]:
        """Those that take an alert, never none."""
        taken: list[Leaf] = []
        for route in self.routes:
            if all_match(route.match, labels):
                taken += route.of(labels)
                if not route.go_on:
                    break
        return tuple(taken) or (self,)

    def all(self) -> Iterator[Leaf]:
        """This one and all inside it."""
        yield self
        for route in self.routes:
            yield from route.all()

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """What the alerts of a group have in common."""
        names = sorted(labels) if self.group_by == "..." else self.group_by
        return {name: labels[name] for name in names if name in labels}


def _or(value: Any, above: Any) -> Any:
    return above if value is None else value
