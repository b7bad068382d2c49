"""Locks of processes that are killed, and of one that is paused beyond its lease: the fence holds, no two hold."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from itertools import pairwise
from multiprocessing import connection
from pathlib import Path
from typing import Any

import pytest
from tests.contract.backends import BACKENDS
from tests.freezing import freeze

from seawall.clock import SystemClock
from seawall.distributed.election import LeaderElection
from seawall.distributed.locks import FencedKeyValue, FencedLock, Semaphore, SqlFence
from seawall.engines import open_engine
from seawall.errors import LockLost

FORK = multiprocessing.get_context("fork")
CLOCK = SystemClock()
pytestmark = pytest.mark.parametrize(
    "backend", [n for n, kind in BACKENDS.items() if kind.lasting and kind.outlives_clients], indirect=True
)
TTL = 1.0


def outcome(call: Any) -> str:
    """Its result as text, or the name of its error."""
    try:
        return str(call())
    except LockLost:
        return "LockLost"


def hold_and_wake(url: str, namespace: str, shop: str, told: Any, woken: Any) -> None:
    """Hold, write, be paused, wake and try to write on: with what was in hand, and with the bare token."""
    with open_engine(url) as engine:
        kv = engine.key_value(namespace)
        # Not renewed, so that the pause finds no transaction of a renewal half done.
        held = FencedLock(kv, "x", ttl=TTL, renew=False).acquire()
        state, fence, mine = FencedKeyValue(kv), SqlFence("x"), sqlite3.connect(shop)
        state.put("state", b"old", held)
        told.put((held.token, held.remaining()))
        woken.wait()
        told.put(
            [
                outcome(held.check),
                outcome(held.remaining),
                outcome(lambda: state.put("state", b"old again", held)),
                outcome(lambda: state.put("state", b"old again", held.token)),
                outcome(lambda: fence.check(mine, held.token)),
                outcome(held.release),
            ]
        )


def test_a_holder_paused_beyond_its_lease_cannot_write_when_it_wakes(backend, namespace, tmp_path: Path):
    """The next one holds and writes with a newer token, which every fence then insists on."""
    url, told, woken = backend.url_for_processes(tmp_path), FORK.SimpleQueue(), FORK.Event()
    shop = sqlite3.connect(tmp_path / "shop.db")
    fence = SqlFence("x")
    fence.create_table(shop)
    shop.commit()
    old = FORK.Process(target=hold_and_wake, args=(url, namespace, str(tmp_path / "shop.db"), told, woken))
    old.start()
    token, remaining = told.get()
    assert 0 < remaining <= TTL
    freeze(old.pid)
    with open_engine(url) as engine:
        kv = engine.key_value(namespace)
        with FencedLock(kv, "x", ttl=60).acquire(timeout=60) as held:
            assert held.token > token
            FencedKeyValue(kv).put("state", b"new", held)
            with shop:
                fence.check(shop, held)
            os.kill(old.pid, signal.SIGCONT)
            woken.set()
            assert told.get() == ["LockLost", "0.0", "LockLost", "LockLost", "LockLost", "False"]
            assert FencedKeyValue(kv).get("state").value == b"new"
            held.check()
    old.join(30)
    assert old.exitcode == 0
    shop.close()


def work_until_killed(url: str, namespace: str, log: str) -> None:
    """Hold, tell when, count under the fence, tell when, and again."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with open_engine(url) as engine:
        kv = engine.key_value(namespace)
        lock, state = FencedLock(kv, "x", ttl=TTL), FencedKeyValue(kv)
        while True:
            try:
                with lock as held:
                    os.write(file, f"{held.token} began {CLOCK.now_ns()} {os.getpid()}\n".encode())
                    entry = state.get("count")
                    state.put("count", b"%d" % (1 + (0 if entry is None else int(entry.value))), held)
                    # A time at which it was surely held, however long this process was stopped since.
                    at = CLOCK.now_ns()
                    held.check()
                    os.write(file, f"{held.token} counted {at} {os.getpid()}\n".encode())
            except LockLost:
                # A machine that is too busy to renew in time: what was counted was counted under the fence.
                continue


def test_no_two_hold_while_holders_are_killed(backend, namespace, tmp_path: Path):
    """Tokens grow in the order of holding, each hold ends before the next begins, no count under the fence is lost."""
    url, log = backend.url_for_processes(tmp_path), tmp_path / "log"
    log.touch()
    workers = [FORK.Process(target=work_until_killed, args=(url, namespace, str(log))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for goal, worker in zip((20, 40, 60), workers, strict=True):
        until = CLOCK.now_ns() + 60_000_000_000
        while lines(log) < goal:
            assert CLOCK.now_ns() < until, log.read_text()
            CLOCK.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(30)
    with open_engine(url) as engine:
        kv = engine.key_value(namespace)
        with FencedLock(kv, "x").acquire(timeout=60) as held:
            count = int(FencedKeyValue(kv).get("count").value)
    holds: dict[int, dict[str, int]] = {}
    for line in log.read_text().splitlines():
        token, what, at, _ = line.split()
        holds.setdefault(int(token), {})[what] = int(at)
    tokens = sorted(holds)
    assert held.token > tokens[-1]
    counted = sum("counted" in hold for hold in holds.values())
    assert counted <= count <= len(holds)
    for token, after in pairwise(tokens):
        assert holds[token].get("counted", holds[token]["began"]) < holds[after]["began"]


def lines(log: Path) -> int:
    """How often was told that something was counted."""
    return log.read_text().count("counted")


def take_permits(url: str, namespace: str, told: Any) -> None:
    """Take two permits and die."""
    with open_engine(url) as engine:
        semaphore = Semaphore(engine.key_value(namespace), "x", 3, ttl=TTL)
        told.put([(permit.slot, permit.token) for permit in (semaphore.acquire(), semaphore.acquire())])
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_permits_of_a_killed_process_come_back(backend, namespace, tmp_path: Path):
    """With the same slots, and greater tokens."""
    url, told = backend.url_for_processes(tmp_path), FORK.SimpleQueue()
    dead = FORK.Process(target=take_permits, args=(url, namespace, told))
    dead.start()
    lost = dict(told.get())
    dead.join(30)
    with open_engine(url) as engine:
        semaphore = Semaphore(engine.key_value(namespace), "x", 3, ttl=60)
        permits = [semaphore.acquire(timeout=60) for _ in range(3)]
        assert sorted(permit.slot for permit in permits) == [0, 1, 2]
        assert all(permit.token > lost.get(permit.slot, 0) for permit in permits)
        assert semaphore.try_acquire() is None


def lead_and_die(url: str, namespace: str, told: Any) -> None:
    """Lead until killed."""
    with open_engine(url) as engine:
        leadership = LeaderElection(engine.key_value(namespace), "x", candidate=str(os.getpid()), ttl=TTL).acquire()
        told.send((os.getpid(), leadership.term))
        CLOCK.sleep(600)


def test_when_a_leader_is_killed_another_leads(backend, namespace, tmp_path: Path):
    """With a greater term, and observers are told."""
    url = backend.url_for_processes(tmp_path)
    # A pipe for each: who is killed while it holds the lock of a queue keeps it.
    pipes = [FORK.Pipe(duplex=False) for _ in range(3)]
    candidates = [FORK.Process(target=lead_and_die, args=(url, namespace, told)) for _, told in pipes]
    for candidate in candidates:
        candidate.start()
    waiting = [hears for hears, _ in pipes]
    terms = []
    with open_engine(url) as engine:
        election = LeaderElection(engine.key_value(namespace), "x")
        while waiting:
            (hears, *_) = connection.wait(waiting, 60)
            waiting.remove(hears)
            pid, term = hears.recv()
            assert election.leader() == (str(pid), term)
            terms.append(term)
            os.kill(pid, signal.SIGKILL)
    for candidate in candidates:
        candidate.join(30)
        assert candidate.exitcode == -signal.SIGKILL
    assert terms == sorted(set(terms))
