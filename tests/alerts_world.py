"""A small world for alerts: gauges that a script sets, a clock that it moves, and a transcript of what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seawall.clock import ManualClock
from seawall.observe import Family, Recording, Sample, Snapshot
from seawall.observe.alerts import Alerts, Call, MemoryStore, Message, Route, Rule

Depths = Mapping[str, float | None]


class Down(Exception):
    """A channel that cannot be reached."""


def gauges(at: float, depths: Depths) -> Snapshot:
    """A snapshot with a gauge `depth` by `queue`; one that is None is not there."""
    samples = [Sample((("queue", queue),), value) for queue, value in sorted(depths.items()) if value is not None]
    return Snapshot(at, (Family("depth", "gauge", tuple(samples)),) if samples else ())


class World:
    """Alerts on a manual clock, whose channels write what they are told into `lines`."""

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        channels: Iterable[str] = ("hook",),
        route: Route | None = None,
        start: float = 1_000_000.0,
        **more: Any,
    ) -> None:
        self.clock = ManualClock(start)
        self.start = start
        self.offset = 0.0  # how far the clock was set back
        self.recording = Recording()
        self.lines: list[str] = []
        self.told: list[Message] = []
        self.down: set[str] = set()
        self._rules, self._names, self._route, self._more = list(rules), list(channels), route, more
        self.store = more.pop("store", None) or MemoryStore()
        self.alerts = self._made()

    def _made(self) -> Alerts:
        channels = {name: Call(self._channel(name)) for name in self._names}
        route = self._route or Route(self._names, group_wait=0)
        return Alerts(
            self.recording,
            self._rules,
            channels=channels,
            route=route,
            store=self.store,
            clock=self.clock,
            **self._more,
        )

    def _channel(self, name: str) -> Callable[[Message], None]:
        def send(message: Message) -> None:
            who = message.notification.alerts
            said = ", ".join(f"{alert.status} {shown(alert.labels)}" for alert in who)
            self.say(f"{name} {'cannot be told' if name in self.down else 'is told'}: {said}")
            if name in self.down:
                raise Down("no route to host")
            self.told.append(message)

        return send

    @property
    def now(self) -> float:
        """Seconds since the beginning, by the clock."""
        return self.clock.time() - self.start

    def say(self, line: str) -> None:
        """Write a line."""
        self.lines.append(f"{self.now:7.0f} {line}")

    def look(self, depths: Depths | None = None) -> None:
        """Record the gauges, evaluate and deliver; without gauges nothing is recorded."""
        if depths is not None:
            self.recording.append(gauges(self.clock.time() + self.offset, depths))
        found = self.alerts.evaluate()
        for moved in found.transitions:
            value = "" if moved.value is None else f" at {moved.value:g}"
            self.say(f"{shown(moved.labels)} {moved.move}{value}")
        self.alerts.deliver()

    def pass_by(self, seconds: float, depths: Depths | None = None, step: float = 15.0) -> None:
        """Look every `step` seconds for as long as this."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.look(depths)

    def set_back(self, seconds: float) -> None:
        """Set the clock back, as somebody does who corrects it; the recording's time goes on."""
        self.clock.step_back(seconds)
        self.offset += seconds
        self.say(f"the clock is set back by {seconds:g} s")

    def restart(self) -> None:
        """As if the process had died and come again: only the store and the recording are left."""
        self.alerts = self._made()


def shown(labels: Mapping[str, str]) -> str:
    """Labels as a transcript shows them."""
    rest = [f"{n}={v}" for n, v in sorted(labels.items()) if n not in ("alertname", "severity")]
    severity = "" if labels["severity"] == "warning" else f" ({labels['severity']})"
    return labels["alertname"] + severity + (f" {{{', '.join(rest)}}}" if rest else "")
