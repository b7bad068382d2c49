"""An engine, a network before it, clients that use it, and what they wrote down."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.contract.backends import Backend
from tests.faults.follower import Follower
from tests.faults.judge import Final
from tests.faults.workloads import KINDS, Client
from tests.histories.recorder import Diary, History, history_of

from seawall.clock import SystemClock
from seawall.engines import Engine, open_engine
from seawall.testing import FaultProxy

FORK = multiprocessing.get_context("fork")
CLOCK = SystemClock()
QUICK = {"operation_timeout": 0.4, "connect_timeout": 0.4, "break_for": 0.05, "pool_size": 2}
PATIENT = {"operation_timeout": 30.0, "break_after": 1_000, "attempts": 100}
_EACH = 2
_PROGRESS = 4
_LONGEST_NS = 60_000_000_000


class Scene:
    """Clients of each kind on one engine, as threads or as processes, and a watch over them.

    Args:
        backend: The engine under test, started.
        namespace: Of this scene alone.
        directory: For diaries, and for what is a file.
        seed: Decides what clients and faults do.
        processes: Clients are processes, which can be killed, and reach the engine without the proxy.
    """

    def __init__(self, backend: Backend, namespace: str, directory: Path, seed: int, *, processes: bool) -> None:
        self.backend = backend
        self.namespace = namespace
        self.directory = directory
        self.seed = seed
        self.rng = random.Random(seed)
        self.processes = processes
        self.ttl = max(0.4, backend.short)
        self.proxy: FaultProxy | None = None
        self.url = backend.url_for_processes(directory)
        self.diaries: list[Diary] = []
        self.victims: list[Any] = []
        self.gone: set[int] = set()
        self.follower: Follower | None = None
        self._threads: list[threading.Thread] = []
        self._clients: dict[int, Client] = {}
        self._stop = threading.Event()
        self._stops: Any = FORK.Event() if processes else self._stop
        self._done = FORK.RawArray("Q", len(KINDS) * _EACH)
        self._closing = ExitStack()

    def __enter__(self) -> Scene:
        with ExitStack() as stack:
            stack.callback(self._end)
            if self.backend.has_server and not self.processes:
                self.proxy = self._closing.enter_context(FaultProxy(self.backend.target, seed=self.seed))
                self.url = self.backend.url_at(*self.proxy.address)
            self._clients_begin()
            if not self.backend.lasting:
                return self._begun(stack)
            # The follower is a thread: it comes when all processes have been forked.
            watching = open_engine(self.url, **QUICK)
            self._closing.callback(watching.close)
            self.follower = Follower(watching.key_value(self.namespace), heartbeat=0.3)
            self.follower.start()
            return self._begun(stack)

    def _begun(self, stack: ExitStack) -> Scene:
        self._until_all_did(_PROGRESS)
        stack.pop_all()
        return self

    def _clients_begin(self) -> None:
        shared = None if self.backend.lasting else self._closing.enter_context(open_engine(self.url))
        number = 0
        for kind in KINDS:
            if kind.port not in self.backend.ports:
                continue
            for each in range(_EACH):
                name = f"{kind.kind}{each}"
                path = self.directory / f"{name}.diary" if self.processes else None
                diary = Diary(name, path)
                self.diaries.append(diary)
                run = self._live_apart if self.processes else self._live
                args = (kind, diary, number, shared)
                if self.processes:
                    victim = FORK.Process(target=run, args=args, name=name)
                    victim.start()
                    self.victims.append(victim)
                else:
                    thread = threading.Thread(target=run, args=args, name=name)
                    thread.start()
                    self._threads.append(thread)
                number += 1

    def _live(self, kind: type[Client], diary: Diary, number: int, shared: Engine | None) -> None:
        engine = shared or open_engine(self.url, **QUICK)
        try:
            client = self._clients[number] = kind(engine, self.namespace, diary, self.seed, self.ttl)

            def progress() -> None:
                self._done[number] += 1

            client.live(progress, self._stops.is_set)
        finally:
            if engine is not shared:
                engine.close()

    def _live_apart(self, *args: Any) -> None:
        self._live(*args)
        args[1].close()

    def _until_all_did(self, more: int) -> None:
        begin, until = list(self._done), CLOCK.now_ns() + _LONGEST_NS
        for number in range(len(self.diaries)):
            while number not in self.gone and self._done[number] < begin[number] + more:
                self._still_alive(number)
                self.backend.revive()
                if CLOCK.now_ns() > until:
                    client = self._clients.get(number)
                    raise AssertionError(f"client {number} gets nothing done: {client.last_error if client else '?'}")
                CLOCK.sleep(0.005)

    def _still_alive(self, number: int) -> None:
        alive = self.victims[number].is_alive() if self.processes else self._threads[number].is_alive()
        assert alive, f"client {self.diaries[number].client} has ended: {history_of(self.diaries).broke}"

    def well_again(self) -> None:
        """When faults are over, every client that lives gets something done."""
        self._until_all_did(_PROGRESS)

    def kill_client(self, number: int) -> None:
        """SIGKILL."""
        self.gone.add(number)
        os.kill(self.victims[number].pid, signal.SIGKILL)
        self.victims[number].join(30)

    def finish(self) -> tuple[History, Final]:
        """Stop all, and see what there is."""
        self._stop.set()
        self._stops.set()
        for each in (*self._threads, *self.victims):
            each.join(60)
            assert not each.is_alive()
        with open_engine(self.backend.url_for_processes(self.directory), **PATIENT) as engine:
            final = self._final(engine)
            if self.follower is not None:
                self.follower.finish(final.revision)
        return history_of(self.diaries), final

    def _final(self, engine: Engine) -> Final:
        kv = engine.key_value(self.namespace)
        listing = kv.list()
        # A lease that still runs would change what there is while we look.
        while any(entry.lease for entry in listing.entries):
            CLOCK.sleep(0.02)
            listing = kv.list()
        # A change that the watch is told of: an engine whose revisions count other things too need not tell of those.
        end = kv.put("the end", b"")
        listing = kv.list()
        records = {}
        if "journal" in self.backend.ports:
            journal = engine.journal(self.namespace)
            records = {stream: list(_all_of(journal, stream)) for stream in ("log", "fenced")}
        return Final({entry.key: entry for entry in listing.entries}, end, records)

    def _end(self) -> None:
        self._stop.set()
        self._stops.set()
        for victim in self.victims:
            if victim.is_alive():
                os.kill(victim.pid, signal.SIGCONT)
                victim.kill()
            victim.join(30)
        for thread in self._threads:
            thread.join(60)
        if self.follower is not None:
            self.follower.abandon()
        for diary in self.diaries:
            diary.close()
        self._closing.close()

    def __exit__(self, *_: object) -> None:
        self._end()


def _all_of(journal: Any, stream: str) -> Iterator[Any]:
    after = 0
    while page := journal.scan(stream, after=after, limit=10_000):
        yield from page
        after = page[-1].position
