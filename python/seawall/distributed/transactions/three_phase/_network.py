"""A simulated network, for study: messages take time, get lost, are cut off; sites die. The same seed, the same run."""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

Sends = list[tuple[str, str]]
"""To whom, and what."""


class Host(Protocol):
    """One site of one transaction, of any protocol.

    Attributes:
        end: "committed" or "aborted"; empty while neither.
    """

    @property
    def end(self) -> str:
        """How it has ended."""

    def begin(self) -> Sends:
        """Its first step."""

    def heard(self, sender: str, message: str) -> Sends:
        """A message has come."""

    def timed_out(self) -> Sends:
        """Nothing has come for a while."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A cut: no message passes between `side` and the others while it lasts.

    Args:
        side: Names on one side.
        begins: In milliseconds from the start.
        ends: In milliseconds; None for never.
    """

    side: frozenset[str]
    begins: int
    ends: int | None = None

    def cuts(self, one: str, other: str, at: int) -> bool:
        """Whether a message that arrives then is lost."""
        return (
            self.begins <= at and (self.ends is None or at < self.ends) and (one in self.side) != (other in self.side)
        )


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to messages and sites, for study.

    Args:
        seed: Of all chance in the run.
        delay: Shortest and longest way of a message, in milliseconds.
        loss: Share of messages that are lost, 0 to 1.
        partition: A cut.
        deaths: After how many messages sent a site dies for good, by name.
        patience: After how much silence a site goes on by itself, in milliseconds; more than two longest ways, or
            silence does not even mean death on a network that loses nothing.
    """

    seed: int = 0
    delay: tuple[int, int] = (10, 10)
    loss: float = 0.0
    partition: Partition | None = None
    deaths: Mapping[str, int] = field(default_factory=dict)
    patience: int = 100


class Simulation:
    """One run of one transaction over some weather."""

    def __init__(self, hosts: Mapping[str, Host], weather: Weather, until: int = 2_000) -> None:
        self._hosts = hosts
        self._weather = weather
        self._until = until
        self._chance = random.Random(weather.seed)
        self._queue: list[tuple[int, int, str, str, str]] = []
        self._count = 0
        self._sent = dict.fromkeys(hosts, 0)
        self._heard_at = dict.fromkeys(hosts, 0)
        self.dead: set[str] = set()
        self.transcript: list[str] = []

    def run(self, first: str) -> None:
        """From the first site's first step, until nothing is under way or the time is over."""
        for name in self._hosts:
            self._push(self._weather.patience, name, "", "")
        self._send(0, first, self._hosts[first].begin())
        while self._queue and self._queue[0][0] <= self._until:
            now, _, to, sender, message = heapq.heappop(self._queue)
            if to in self.dead:
                continue
            if message:
                self._deliver(now, to, sender, message)
            else:
                self._look_at_the_clock(now, to)

    def _push(self, at: int, to: str, sender: str, message: str) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, to, sender, message))

    def _say(self, now: int, text: str) -> None:
        self.transcript.append(f"{now:5} {text}")

    def _send(self, now: int, sender: str, sends: Sends) -> None:
        for to, message in sends:
            if self._sent[sender] == self._weather.deaths.get(sender):
                self.dead.add(sender)
                self._say(now, f"{sender} dies")
                return
            self._sent[sender] += 1
            self._push(now + self._chance.randint(*self._weather.delay), to, sender, message)

    def _deliver(self, now: int, to: str, sender: str, message: str) -> None:
        cut = self._weather.partition
        if (cut is not None and cut.cuts(sender, to, now)) or self._chance.random() < self._weather.loss:
            self._say(now, f"{sender} -> {to}: {message} is lost")
            return
        self._say(now, f"{sender} -> {to}: {message}")
        self._heard_at[to] = now
        self._step(now, to, self._hosts[to].heard(sender, message))

    def _look_at_the_clock(self, now: int, name: str) -> None:
        quiet_until = self._heard_at[name] + self._weather.patience
        if now < quiet_until:
            self._push(quiet_until, name, "", "")
            return
        if self._hosts[name].end:
            return
        self._say(now, f"{name} has waited long enough")
        self._heard_at[name] = now
        self._push(now + self._weather.patience, name, "", "")
        self._step(now, name, self._hosts[name].timed_out())

    def _step(self, now: int, name: str, sends: Sends) -> None:
        self._send(now, name, sends)
        end = self._hosts[name].end
        if end and name not in self.dead and not any(line.endswith(f" {name} has {end}") for line in self.transcript):
            self._say(now, f"{name} has {end}")
