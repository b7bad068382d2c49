"""Locks on a Redis server whose answers are lost on the way: no two hold, and the line moves on."""

from __future__ import annotations

import threading
from contextlib import closing

from seawall.distributed.locks import FencedKeyValue, FencedLock
from seawall.engines import open_engine
from seawall.errors import EngineError, LockLost
from seawall.testing import FaultProxy, Reset

QUICK = {"operation_timeout": 2.0, "break_after": 1_000, "lint": False}
CLIENTS, ROUNDS, TTL = 3, 12, 1.0


def test_no_two_hold_while_answers_are_lost(valkey):
    """Who holds is alone for as long as it counts on; no count under the fence is lost; what is left over ends."""
    inside, guard, counted, cut = [], threading.Lock(), [], []

    def work(url: str) -> None:
        # Not in a block, which asks for more than the network lets through.
        with closing(open_engine(url, **QUICK)) as engine:
            kv = engine.key_value("locks")
            lock, state = FencedLock(kv, "x", ttl=TTL, renew=False), FencedKeyValue(kv)
            for _ in range(ROUNDS):
                try:
                    held = lock.acquire(timeout=60)
                except EngineError as error:
                    cut.append(error)
                    continue
                with guard:
                    if held.remaining() > 0:
                        assert not [other for other in inside if other.remaining() > 0]
                    inside.append(held)
                try:
                    entry = state.get("count")
                    state.put("count", b"%d" % (1 + (0 if entry is None else int(entry.value))), held)
                    counted.append(held.token)
                except (EngineError, LockLost) as error:
                    cut.append(error)
                with guard:
                    inside.remove(held)
                held.release()

    errors: list[BaseException] = []

    def watched(url: str) -> None:
        try:
            work(url)
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    with FaultProxy(("127.0.0.1", valkey.port), seed=7) as proxy:
        with proxy.fault(Reset(after_bytes=800, direction="to_client")):
            threads = [threading.Thread(target=watched, args=(proxy.url("redis"),)) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert errors == []
        assert proxy.stats().reset > CLIENTS
    with open_engine(valkey.tcp, **QUICK) as engine, FencedLock(engine, "x").acquire(timeout=60) as held:
        assert held.token > max(counted)
        count = int(FencedKeyValue(engine.key_value("locks")).get("count").value)
        assert len(counted) <= count <= len(counted) + len(cut)
