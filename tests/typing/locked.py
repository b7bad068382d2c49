"""What has no token cannot be passed where a fence is wanted. Read by type checkers, never run."""

from __future__ import annotations

import sqlite3
from typing import assert_type

from seawall.distributed.election import LeaderElection, Leadership
from seawall.distributed.locks import (
    EfficiencyLock,
    FencedHeld,
    FencedKeyValue,
    FencedLock,
    Held,
    MultiLock,
    ReadWriteLock,
    Semaphore,
    SemaphorePermit,
    SqlFence,
)
from seawall.engines import Engine


def fenced(engine: Engine, shop: sqlite3.Connection) -> None:
    fence, accounts = SqlFence("x"), FencedKeyValue(engine.key_value("accounts"))
    with FencedLock(engine, "x") as held:
        assert_type(held, FencedHeld)
        fence.check(shop, held)
        fence.check(shop, held.token)
        assert_type(accounts.put("alice", b"1", held), int)
    with Semaphore(engine, "x", 2) as permit:
        assert_type(permit, SemaphorePermit)
        fence.check(shop, permit)
    with LeaderElection(engine, "x") as leadership:
        assert_type(leadership, Leadership)
        fence.check(shop, leadership)
    with ReadWriteLock(engine, "x").writer as writing:
        fence.check(shop, writing)
    with MultiLock(engine, ["a", "b"]) as together:
        fence.check(shop, together["a"])


def not_fenced(engine: Engine, shop: sqlite3.Connection) -> None:
    fence, accounts = SqlFence("x"), FencedKeyValue(engine.key_value("accounts"))
    with EfficiencyLock(engine, "x") as held:
        assert_type(held, Held)
        held.token  # type: ignore[attr-defined]
        fence.check(shop, held)  # type: ignore[arg-type]
        accounts.put("alice", b"1", held)  # type: ignore[arg-type]
    with ReadWriteLock(engine, "x").reader as reading:
        fence.check(shop, reading)  # type: ignore[arg-type]
    with MultiLock(engine, ["a", "b"]) as together:
        fence.check(shop, together)  # type: ignore[arg-type]


async def awaited(engine: Engine) -> None:
    async with FencedLock(engine, "x") as held:
        assert_type(held, FencedHeld)
    assert_type(await EfficiencyLock(engine, "x").acquire_async(), Held)
    assert_type(await FencedLock(engine, "x").try_acquire_async(), FencedHeld | None)
