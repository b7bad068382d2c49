"""Runs that show where three-phase commit is better than two-phase commit, and where it breaks; for study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from seawall.distributed.transactions.three_phase._hosts import (
    ThreePhaseHost,
    TwoPhaseCoordinatorHost,
    TwoPhaseMemberHost,
)
from seawall.distributed.transactions.three_phase._machine import COORDINATOR, Site
from seawall.distributed.transactions.three_phase._network import Host, Partition, Simulation, Weather
from seawall.errors import ConfigError

Protocol = Literal["two_phase", "three_phase"]
PROTOCOLS: tuple[Protocol, ...] = ("two_phase", "three_phase")


@dataclass(frozen=True, slots=True)
class Run:
    """What one simulated run has shown.

    Attributes:
        ends: "committed", "aborted", "blocked" or "dead" by site; the dead that had ended keep their end.
        transcript: What happened, one line each, with the millisecond.
    """

    ends: Mapping[str, str]
    transcript: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """One word: mixed, blocked, committed, aborted; dead when nobody is left."""
        ends = {end for end in self.ends.values() if end != "dead"}
        if {"committed", "aborted"} <= ends:
            return "mixed"
        return "blocked" if "blocked" in ends else next(iter(sorted(ends)), "dead")


def simulate(protocol: Protocol, weather: Weather, *, participants: int = 3) -> Run:
    """Run one transaction in which all vote yes; for study.

    Args:
        protocol: "two_phase" or "three_phase".
        weather: What happens to messages and sites.
        participants: 1 to 26: a, b, c...

    Example:
        >>> simulate("two_phase", Weather(deaths={"coordinator": 3})).verdict
        'blocked'
        >>> simulate("three_phase", Weather(deaths={"coordinator": 3})).verdict
        'aborted'
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"protocol must be 'two_phase' or 'three_phase', got {protocol!r}")
    if not 1 <= participants <= 26:
        raise ConfigError(f"participants must be 1 to 26, got {participants!r}")
    names = tuple("abcdefghijklmnopqrstuvwxyz"[:participants])
    hosts = _two_phase(names) if protocol == "two_phase" else _three_phase(names)
    simulation = Simulation(hosts, weather)
    simulation.run(COORDINATOR)
    ends = {name: host.end or ("dead" if name in simulation.dead else "blocked") for name, host in hosts.items()}
    if protocol == "two_phase" and ends[COORDINATOR] == "blocked":
        ends[COORDINATOR] = "committed"  # decided, though somebody has not acknowledged it
    return Run(ends, tuple(simulation.transcript))


def _two_phase(names: tuple[str, ...]) -> dict[str, Host]:
    return {COORDINATOR: TwoPhaseCoordinatorHost(names), **{name: TwoPhaseMemberHost() for name in names}}


def _three_phase(names: tuple[str, ...]) -> dict[str, Host]:
    sites = {name: ThreePhaseHost(Site(name, tuple(n for n in names if n != name))) for name in names}
    return {COORDINATOR: ThreePhaseHost(Site(COORDINATOR, names)), **sites}


SCENARIOS: Mapping[str, Weather] = {
    "nothing happens": Weather(),
    "the coordinator dies after the votes": Weather(deaths={COORDINATOR: 3}),
    "the coordinator dies in the middle of telling": Weather(deaths={COORDINATOR: 4}),
    "a participant dies after its vote": Weather(deaths={"b": 1}),
    "the network is cut after the votes": Weather(partition=Partition(frozenset((COORDINATOR, "a")), 25)),
    "the network is cut for a second": Weather(partition=Partition(frozenset((COORDINATOR, "a")), 25, 1_025)),
}
"""What is told in docs/how-to/three-phase-commit.md."""


def table(seeds: int = 200) -> str:
    """Both protocols in all scenarios, and in many random ones; a Markdown table."""
    rows = ["| what happens | two-phase | three-phase |", "|---|---|---|"]
    for title, weather in SCENARIOS.items():
        verdicts = " | ".join(simulate(protocol, weather).verdict for protocol in PROTOCOLS)
        rows.append(f"| {title} | {verdicts} |")
    for title, weathers in (
        (f"{seeds} random deaths of the coordinator", _deaths(seeds)),
        (f"{seeds} random cuts for ever", _cuts(seeds)),
        (f"{seeds} networks that lose a tenth", _losses(seeds)),
    ):
        rows.append(f"| {title} | {' | '.join(_counted(protocol, weathers) for protocol in PROTOCOLS)} |")
    return "\n".join(rows) + "\n"


def _counted(protocol: Protocol, weathers: list[Weather]) -> str:
    counts = Counter(simulate(protocol, weather).verdict for weather in weathers)
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))


def _deaths(seeds: int) -> list[Weather]:
    return [Weather(seed, (1, 20), deaths={COORDINATOR: seed % 10}) for seed in range(seeds)]


def _cuts(seeds: int) -> list[Weather]:
    sides = (
        frozenset((COORDINATOR, "a")),
        frozenset((COORDINATOR,)),
        frozenset("a"),
        frozenset((COORDINATOR, "a", "b")),
    )
    cut = [Partition(sides[seed % 4], 1 + seed * 7 % 80) for seed in range(seeds)]
    return [replace(Weather(seed, (1, 20)), partition=cut[seed]) for seed in range(seeds)]


def _losses(seeds: int) -> list[Weather]:
    return [Weather(seed, (1, 20), loss=0.1) for seed in range(seeds)]
