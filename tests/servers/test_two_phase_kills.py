"""Whoever is killed at any point of a two-phase commit: after recovery all have committed, or none has."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.contract.backends.postgres import PostgresServer
from tests.two_phase_world import FORK, LONG, WAYS, World, forked, recover, sell, sell_far, sell_without_server, serve

LIVE = 1_000_000
SETTING = "max_prepared_transactions=20"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One server with two databases."""
    started = PostgresServer()
    started.start(SETTING)
    with psycopg.connect(started.conninfo(), autocommit=True) as connection:
        for name in "ab":
            connection.execute(f"CREATE DATABASE {name}")
    yield started
    started.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, server: PostgresServer, tmp_path: Path) -> Iterator[World]:
    """A world of its own for each test, with its log in a file or on the server."""
    # What is tested dies with its process, not with the machine: no fsync.
    url = f"sqlite:///{tmp_path / 'log.db'}?durability=os" if request.param == "sqlite" else server.url()
    world = World(server, url, tmp_path)
    yield world
    world.close()


def settle(world: World, value: int, way: str, told: str, chance: random.Random) -> str:
    """Check what is listed, recover with accidents, and check the end; "committed" or "aborted"."""
    coordinator, member, _ = world.own
    listed = {(doubt.id, name) for doubt in coordinator.in_doubt() for name in doubt.participants}
    for gid in world.prepared():
        _, name, log, number, participant = gid.split(".")
        assert (f"{name}.{log}.{number}", participant) in listed, gid
    held = {doubt.id for doubt in member.in_doubt()}
    assert set(world.shelf.held()) <= held
    # A living owner keeps its claim, and recovery leaves its transaction alone; then its time passes.
    world.let_claims_expire()
    if LONG or chance.random() < 0.3:
        forked(recover, world, chance.randrange(40), chance.randrange(2))
        world.let_claims_expire()
    coordinator.recover()
    member.recover(coordinator.outcome)
    coordinator.recover()
    assert world.prepared() == []
    assert world.shelf.held() == []
    assert (coordinator.in_doubt(), member.in_doubt()) == ((), ())
    return ended(world, value, way, told)


def ended(world: World, value: int, way: str, told: str) -> str:
    """The one outcome that all participants have."""
    rows = world.rows()
    there = {name for name in rows if value in rows[name]}
    assert all(found.count(value) <= 1 for found in rows.values())
    changed = {"a", "shelf"} if way == "read" else {"a", "b", "shelf"}
    assert there in (set(), changed), f"a mixed outcome: {there}"
    outcome = "committed" if there else "aborted"
    assert outcome == "aborted" or way in ("commit", "read")
    path = world.directory / told
    said = path.read_text() if path.exists() else "nothing"
    assert said in (outcome, "in_doubt", "nothing"), (said, outcome)
    return outcome


@pytest.mark.parametrize("way", WAYS)
def test_a_coordinator_killed_at_every_point_leaves_no_mixed_outcome(world: World, way: str) -> None:
    """Coordinator and shelf in one process die before and after each message, log write and statement."""
    chance, outcomes, at = random.Random(len(way)), [], 0
    step = 1 if LONG else 2 if way == "commit" else 5
    while True:
        told = f"told-{at}"
        code = forked(sell, world, way, at, at, told)
        outcomes.append(settle(world, at, way, told, chance))
        if code == 0:
            break
        assert code == -signal.SIGKILL
        at += step
    assert outcomes[0] == "aborted"
    assert outcomes[-1] == ("committed" if way in ("commit", "read") else "aborted")
    # Once it is decided it stays so: no later point of the same course has another outcome.
    assert outcomes == sorted(outcomes)


@pytest.mark.parametrize("victim", ["coordinator", "participant"])
def test_processes_of_a_transaction_are_killed_one_at_a_time(world: World, victim: str) -> None:
    """The shelf answers over a pipe from a process of its own; either process dies at each point, the other goes on."""
    chance, outcomes, at = random.Random(7), set(), 0
    while True:
        here, there = FORK.Pipe()
        told = f"told-{at}"
        server = FORK.Process(target=_serve, args=(world, at if victim == "participant" else LIVE, there, here))
        server.start()
        there.close()
        code = forked(sell_far, world, at, at if victim == "coordinator" else LIVE, told, here)
        here.close()
        server.join(60)
        outcomes.add(settle(world, at, "commit", told, chance))
        if code == 0 and server.exitcode == 0:
            break
        assert -signal.SIGKILL in (code, server.exitcode)
        at += 1 if LONG else 3
    assert outcomes == {"committed", "aborted"}


def test_a_server_killed_in_the_middle_leaves_no_mixed_outcome(world: World) -> None:
    """The server dies before or after a message or log write; the coordinator lives and says what it knows."""
    chance, outcomes = random.Random(11), set()
    # Between votes and decision the log dies with the server, or lives and decides.
    few = (9, 16, LIVE) if world.log_url.startswith("sqlite") else (16, 19, LIVE)
    points = iter(range(LIVE) if LONG else few)
    while True:
        at = next(points)
        told = f"told-{at}"
        code = forked(sell_without_server, world, at, at, told)
        if code == 0:
            break
        world.restart(SETTING)
        outcomes.add(settle(world, at, "commit", told, chance))
    assert outcomes == {"committed", "aborted"}


def _serve(world: World, at: int, pipe, other) -> None:
    other.close()
    serve(world, at, pipe)
