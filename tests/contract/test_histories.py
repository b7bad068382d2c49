"""Histories recorded from every engine, by threads and by processes, are linearizable."""

from __future__ import annotations

import multiprocessing
import random
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.contract.backends import BACKENDS
from tests.histories.checker import Call, Held, check, check_by_key, lock, register
from tests.histories.recorder import Recorder

from seawall.distributed.locks import FencedLock
from seawall.engines import Engine, open_engine

FORK = multiprocessing.get_context("fork")
LASTING = [name for name, kind in BACKENDS.items() if kind.lasting]


def use_register(  # noqa: PLR0917
    engine: Engine, namespace: str, client: int, seed: int, count: int, recorder: Recorder
) -> None:
    """Read, write and swap two keys at random; every value is written once."""
    kv, rng = engine.key_value(namespace), random.Random(seed)
    seen: dict[str, Any] = {}
    for number in range(count):
        key, value = rng.choice("xy"), b"%d-%d" % (client, number)
        choice = rng.random()
        if choice < 0.4:
            recorder.call(key, "read", partial(_read, kv, key, seen))
        elif choice < 0.6:
            recorder.call(key, "write", partial(kv.put, key, value), value)
        elif key in seen:
            entry = seen[key]
            expected, revision = (None, 0) if entry is None else (entry.value, entry.revision)
            recorder.call(key, "cas", partial(_swap, kv, key, value, revision), expected, value)


def _read(kv: Any, key: str, seen: dict[str, Any]) -> bytes | None:
    entry = seen[key] = kv.get(key)
    return None if entry is None else entry.value


def _swap(kv: Any, key: str, value: bytes, revision: int) -> bool:
    return bool(kv.compare_and_set(key, value, revision))


def use_lock(  # noqa: PLR0917
    engine: Engine, namespace: str, client: int, seed: int, count: int, recorder: Recorder
) -> None:
    """Claim and release one stream at random."""
    journal, rng, claim = engine.journal(namespace), random.Random(seed), None
    for _ in range(count):
        if claim is None:
            got: list[Any] = []
            recorder.call(client, "acquire", partial(_claim, journal, client, got))
            claim = got[0]
        elif rng.random() < 0.7:
            recorder.call(client, "release", partial(journal.release, claim), claim.token)
            claim = None
    if claim is not None:
        recorder.call(client, "release", partial(journal.release, claim), claim.token)


def _claim(journal: Any, client: int, got: list[Any]) -> int | None:
    claim = journal.claim("lock", f"c{client}", 3600)
    got.append(claim)
    return None if claim is None else claim.token


def use_fenced_lock(  # noqa: PLR0917
    engine: Engine, namespace: str, client: int, seed: int, count: int, recorder: Recorder
) -> None:
    """Acquire and release one lock at random."""
    lock, rng, held = FencedLock(engine.key_value(namespace), "x", ttl=3600), random.Random(seed), None
    for _ in range(count):
        if held is None:
            got: list[Any] = []
            recorder.call(client, "acquire", partial(_acquire, lock, got))
            held = got[0]
        elif rng.random() < 0.7:
            recorder.call(client, "release", held.release, held.token)
            held = None
    if held is not None:
        recorder.call(client, "release", held.release, held.token)


def _acquire(lock: FencedLock, got: list[Any]) -> int | None:
    held = lock.try_acquire()
    got.append(held)
    return None if held is None else held.token


USES = {"register": use_register, "lock": use_lock, "fenced lock": use_fenced_lock}


def judge(use: str, calls: list[Call]) -> None:
    """The history is explained, and something happened in it."""
    if use == "register":
        verdicts = check_by_key(calls, register, None, lambda call: call.client)
        assert all(verdicts.values()), {key: verdict.stuck for key, verdict in verdicts.items()}
        assert {call.name for call in calls} == {"read", "write", "cas"}
    else:
        verdict = check(calls, lock, Held())
        assert verdict, verdict.stuck
        tokens = [call.result for call in calls if call.name == "acquire" and call.result is not None]
        assert len(tokens) == len(set(tokens)) > 1


def surely(use: str, backend: Any, calls: list[Call]) -> list[Call]:
    """Without the tries that were refused where `enlist` is several steps: another's refused try may be the reason."""
    if use != "fenced lock" or backend.enlists_at_once:
        return calls
    return [call for call in calls if call.name != "acquire" or call.result is not None]


@pytest.mark.parametrize("use", USES)
def test_threads_see_one_order(backend, engine, namespace, use):
    """Four threads on one engine."""
    recorder = Recorder()
    threads = [
        threading.Thread(target=USES[use], args=(engine, namespace, client, client, 40, recorder))
        for client in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    judge(use, surely(use, backend, recorder.calls))


def in_a_process(  # noqa: PLR0917
    url: str, namespace: str, use: str, client: int, barrier: Any, answer: Any
) -> None:
    """One client in a process of its own."""
    recorder = Recorder()
    with open_engine(url) as engine:
        barrier.wait(60)
        USES[use](engine, namespace, client, client, 40, recorder)
    answer.send(recorder.calls)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("backend", LASTING, indirect=True)
def test_processes_see_one_order(backend, namespace, use, tmp_path: Path):
    """Four processes, each with an engine of its own."""
    barrier = FORK.Barrier(4)
    url = backend.url_for_processes(tmp_path)
    clients, answers = [], []
    for client in range(4):
        answer, here = FORK.Pipe(duplex=False)
        clients.append(FORK.Process(target=in_a_process, args=(url, namespace, use, client, barrier, here)))
        clients[-1].start()
        here.close()  # so that the end of a client that has died is seen
        answers.append(answer)
    calls = [call for answer in answers for call in answer.recv()]
    for client in clients:
        client.join(30)
        assert client.exitcode == 0
    for answer in answers:
        answer.close()
    judge(use, surely(use, backend, calls))
