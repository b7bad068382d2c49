"""What several processes do at once, killed ones included: no lost acknowledged write, nothing torn, no lost change."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.contract.backends import BACKENDS

from seawall.clock import SystemClock
from seawall.engines import Deleted, Put, Resync, open_engine

FORK = multiprocessing.get_context("fork")
pytestmark = pytest.mark.parametrize(
    "backend", [n for n, kind in BACKENDS.items() if kind.lasting and kind.outlives_clients], indirect=True
)
EACH = 50


def count_up(url: str, namespace: str, barrier: Any) -> None:
    """Add 1 by compare-and-set until it was done often enough."""
    with open_engine(url) as engine:
        kv = engine.key_value(namespace)
        barrier.wait()
        for _ in range(EACH):
            while True:
                entry = kv.get("count")
                value, revision = (0, 0) if entry is None else (int(entry.value), entry.revision)
                if kv.compare_and_set("count", b"%d" % (value + 1), revision):
                    break


def test_processes_that_count_together_lose_nothing(backend, namespace, tmp_path: Path):
    """Four processes add exactly what they added, and a watch sees every step once."""
    url, barrier = backend.url_for_processes(tmp_path), FORK.Barrier(4)
    workers = [FORK.Process(target=count_up, args=(url, namespace, barrier)) for _ in range(4)]
    with open_engine(url) as engine:
        kv = engine.key_value(namespace)
        for worker in workers:
            worker.start()
        seen = list(_while_alive(kv, workers))
        for worker in workers:
            worker.join(30)
            assert worker.exitcode == 0
        assert seen == [b"%d" % number for number in range(1, 4 * EACH + 1)]
        assert int(kv.get("count").value) == 4 * EACH


def _while_alive(kv: Any, workers: Any) -> Any:
    with kv.watch(after=0, heartbeat=0.2) as watch:
        alive, event = True, None
        while alive or event is not None:
            alive = any(worker.is_alive() for worker in workers)
            event = watch.poll()
            if event is not None:
                assert isinstance(event, Put)
                yield event.value


def write_until_killed(url: str, namespace: str, told: int) -> None:
    """Append pairs, put twins under one lease, and tell each acknowledged number by a line."""
    with open_engine(url) as engine:
        journal, kv = engine.journal(namespace), engine.key_value(namespace)
        number = journal.last("pairs")
        while True:
            number += 1
            position = journal.append("pairs", b"%d" % number, b"%d" % number)
            revision = kv.put("newest", b"%d" % number)
            os.write(told, b"%d %d\n" % (position, revision))


def test_a_killed_writer_loses_nothing_it_was_told(backend, namespace, tmp_path: Path):
    """SIGKILL at random moments: acknowledged pairs are there, whole, in order; a reader never sees half of one."""
    url, rng, clock = backend.url_for_processes(tmp_path), random.Random(7), SystemClock()
    with open_engine(url) as engine:
        journal, kv = engine.journal(namespace), engine.key_value(namespace)
        journal.last("pairs")
        told = 0
        for _ in range(8):
            heard, telling = os.pipe()
            writer = FORK.Process(target=write_until_killed, args=(url, namespace, telling))
            writer.start()
            os.close(telling)
            until = clock.now_ns() + rng.randrange(150_000_000, 400_000_000)
            while clock.now_ns() < until:
                whole(journal)
            os.kill(writer.pid, signal.SIGKILL)
            writer.join(30)
            with os.fdopen(heard, "rb") as lines:
                acknowledged = [tuple(map(int, line.split())) for line in lines.read().splitlines(keepends=False)]
            positions = whole(journal)
            told += len(acknowledged)
            assert {position for position, _ in acknowledged} <= set(positions)
            if acknowledged:
                assert kv.get("newest").revision >= acknowledged[-1][1]
        assert told > 8


def whole(journal: Any) -> list[int]:
    """Positions of all records, which are there in pairs."""
    records, page = [], journal.scan("pairs", limit=10_000)
    while page:
        records += page
        page = journal.scan("pairs", after=page[-1].position, limit=10_000)
    data = [record.data for record in records]
    assert data[0::2] == data[1::2]
    return [record.position for record in records]


def change_until_killed(url: str, namespace: str) -> None:
    """Write and delete a few keys as fast as possible."""
    rng = random.Random(os.getpid())
    with open_engine(url) as engine:
        kv = engine.key_value(namespace)
        for number in range(10_000_000):
            key = rng.choice("abc")
            if rng.random() < 0.3:
                kv.delete(key)
            else:
                kv.put(key, b"%d" % number)


def test_a_watch_over_killed_writers_arrives_at_the_truth(backend, namespace, tmp_path: Path):
    """With a short history: every change once and in order, or a Resync, and in the end what list says."""
    url, clock = backend.url_for_processes(tmp_path), SystemClock()
    options = {backend.history_option: 20} if backend.history_option else {}
    with open_engine(url, **options) as engine:
        kv = engine.key_value(namespace)
        kv.put("a", b"0")
        with kv.watch(heartbeat=0.5) as watch:
            state: dict[str, bytes] = {}
            last = 0
            for _ in range(3):
                writers = [FORK.Process(target=change_until_killed, args=(url, namespace)) for _ in range(2)]
                for writer in writers:
                    writer.start()
                until = clock.now_ns() + 300_000_000
                while clock.now_ns() < until:
                    last = follow(watch, state, last)
                for writer in writers:
                    os.kill(writer.pid, signal.SIGKILL)
                    writer.join(30)
            listing = kv.list()
            while state != {entry.key: entry.value for entry in listing.entries}:
                last = follow(watch, state, last)
                assert last <= listing.revision


def follow(watch: Any, state: dict[str, bytes], last: int) -> int:
    """Apply the next event; each is newer than the one before."""
    event = watch.poll()
    if event is None:
        return last
    assert event.revision > last
    if isinstance(event, Resync):
        state.clear()
        state.update({entry.key: entry.value for entry in event.entries})
    elif isinstance(event, Deleted):
        del state[event.key]
    else:
        state[event.key] = event.value
    return event.revision


def use_after_fork(engine: Any, namespace: str, answers: Any) -> None:
    """Use the parent's engine object in the child."""
    kv = engine.key_value(namespace)
    answers.put((kv.get("a").value, kv.put("b", b"child")))


def test_a_forked_child_uses_connections_of_its_own(backend, namespace, tmp_path: Path):
    """Parent and child go on with one engine object."""
    with open_engine(backend.url_for_processes(tmp_path)) as engine:
        kv = engine.key_value(namespace)
        first = kv.put("a", b"parent")
        answers = FORK.SimpleQueue()
        child = FORK.Process(target=use_after_fork, args=(engine, namespace, answers))
        child.start()
        value, second = answers.get()
        child.join(30)
        assert (value, child.exitcode) == (b"parent", 0)
        assert kv.put("a", b"again") > second > first


def claim_and_die(url: str, namespace: str, answers: Any) -> None:
    """Claim everything that is free, then die without giving it back."""
    with open_engine(url) as engine:
        journal = engine.journal(namespace)
        mine = [journal.claim(name, f"p{os.getpid()}", 3600) for name in journal.streams(unclaimed=True)]
        answers.put([claim for claim in mine if claim is not None])
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_stream_never_has_two_owners(backend, namespace, tmp_path: Path):
    """Four processes that claim all they can share the streams without overlap, and death frees none early."""
    url, answers = backend.url_for_processes(tmp_path), FORK.SimpleQueue()
    with open_engine(url) as engine:
        journal = engine.journal(namespace)
        for number in range(40):
            journal.append(f"s{number:02}", b"")
        workers = [FORK.Process(target=claim_and_die, args=(url, namespace, answers)) for _ in range(4)]
        for worker in workers:
            worker.start()
        claims = [claim for _ in workers for claim in answers.get()]
        for worker in workers:
            worker.join(30)
            assert worker.exitcode == -signal.SIGKILL
        assert sorted(claim.stream for claim in claims) == list(journal.streams())
        assert len({claim.token for claim in claims}) == 40
        assert journal.streams(unclaimed=True) == ()
