"""Participants and relays on PostgreSQL: many at once, and one that was paused for too long."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from tests.contract.backends.postgres import PostgresServer

from seawall.distributed.transactions.choreography import Event, Participant, Relay, Subscriptions
from seawall.engines import Engine, open_engine
from seawall.guard.retry import Constant


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own."""
    started = PostgresServer()
    started.start()
    yield started
    started.remove()


@pytest.fixture
def conninfo(server: PostgresServer) -> str:
    """A database with a table of effects."""
    name = f"d_{secrets.token_hex(6)}"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(server.conninfo(name)) as connection:
        connection.execute("CREATE TABLE effects (n serial, what text)")
    return server.conninfo(name)


@pytest.fixture
def engine(server: PostgresServer, conninfo: str) -> Iterator[Engine]:
    """An engine on the same database."""
    name = conninfo.partition("dbname=")[2].partition(" ")[0]
    with open_engine(server.url(name), operation_timeout=60) as opened:
        yield opened


def effects(conninfo: str) -> list[str]:
    """In the order in which they were committed by one worker after the other."""
    with psycopg.connect(conninfo) as connection:
        return [what for (what,) in connection.execute("SELECT what FROM effects ORDER BY n").fetchall()]


def note(reaction: Any) -> Any:
    """An effect; awaitable for tasks."""
    return reaction.transaction.execute("INSERT INTO effects (what) VALUES (%s)", (reaction.event.id,))


def told(journal: Any, name: str, count: int) -> list[str]:
    """Events in the stream of a participant, each of them twice."""
    events = [Event("order.placed", None, f"e{number}", f"k{number % 3}", "c") for number in range(count)]
    journal.append(f"events/{name}", *(event.encode() for event in events for _ in range(2)))
    return [event.id for event in events]


@pytest.mark.parametrize("ordered", [True, False])
def test_many_workers_share_the_work(engine, conninfo, ordered):
    """Each effect once, in order where that is asked for, and each follow-up published."""
    journal = engine.journal()
    names = told(journal, "bank", 20)
    published: Counter[str] = Counter()

    def work(_: int) -> None:
        bank = Participant("bank", journal, partial(psycopg.connect, conninfo), ordered=ordered, batch=5)

        @bank.on("order.placed")
        def charge(reaction: Any) -> None:
            note(reaction)
            reaction.emit("payment.taken")

        relay = Relay("bank", journal, lambda event: published.update([event.causation_id]), ordered=ordered)
        while journal.last("events/bank") or journal.last("outbox/bank"):
            bank.drain()
            relay.drain()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert sorted(effects(conninfo)) == sorted(names)
    assert published.keys() == set(names)
    if ordered:
        assert effects(conninfo) == names


def test_a_worker_that_was_paused_beyond_its_claim_does_no_harm(engine, conninfo):
    """Another has taken over meanwhile; both go on, each effect happens once and in order."""
    journal = engine.journal()
    names = told(journal, "bank", 12)
    others: list[Any] = []

    def participant() -> Participant:
        return Participant("bank", journal, partial(psycopg.connect, conninfo))

    paused, other = participant(), participant()
    other.on("order.placed")(note)

    @paused.on("order.placed")
    def charge(reaction: Any) -> None:
        note(reaction)
        if reaction.event.id == "e3":
            with psycopg.connect(conninfo) as connection:
                connection.execute("UPDATE seawall.claims SET ends_us = 0")
            others.append(threads.submit(other.drain))

    with ThreadPoolExecutor(1) as threads:
        paused.drain()
        others[0].result(60)
    assert effects(conninfo) == names
    assert journal.last("events/bank") == 0
    assert paused.stats().done + other.stats().done >= len(names)


async def test_tasks_use_async_connections(engine, conninfo):
    """Handlers are awaited inside an asynchronous transaction, and several participants share a loop."""
    journal = engine.journal()
    names = await asyncio.to_thread(told, journal, "bank", 6)
    transaction = partial(psycopg.AsyncConnection.connect, conninfo)
    bank = Participant("bank", journal, transaction, backoff=Constant(0))
    shop = Participant("shop", journal, transaction)
    relay = Relay("bank", journal, Subscriptions(journal, {"shop": ["payment.taken"]}))
    seen: list[Event] = []
    fails = [True]

    @bank.on("order.placed")
    async def charge(reaction: Any) -> None:
        await note(reaction)
        if fails:
            fails.pop()
            raise ConnectionError("away")
        reaction.emit("payment.taken")

    @shop.on("payment.taken")
    async def settle(reaction: Any) -> None:
        seen.append(reaction.event)
        if len(seen) == len(names):
            for each in (bank, relay, shop):
                each.stop()

    async with await transaction() as connection:
        await bank.emit_within_async(connection, "payment.taken", key="extra")
        await connection.rollback()
    await asyncio.wait_for(asyncio.gather(bank.run_async(), relay.run_async(), shop.run_async()), 120)
    assert [event.causation_id for event in seen] == names
    assert await asyncio.to_thread(effects, conninfo) == names
    assert (bank.stats().failed, bank.stats().duplicates) == (1, len(names))


def test_a_handler_s_transaction_may_have_any_isolation(engine, conninfo):
    """Under SERIALIZABLE the database may tell a worker to try again, which costs no attempt."""
    journal = engine.journal()
    names = told(journal, "bank", 20)

    @contextmanager
    def transaction() -> Iterator[Any]:
        # psycopg leaves a connection open whose commit was refused.
        with closing(psycopg.connect(conninfo)) as connection:
            connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            with connection:
                yield connection

    def work(_: int) -> None:
        bank = Participant("bank", journal, transaction, ordered=False, batch=3, attempts=1_000, backoff=Constant(0))

        @bank.on("order.placed")
        def charge(reaction: Any) -> None:
            reaction.transaction.execute("SELECT count(*) FROM effects").fetchall()
            note(reaction)

        while journal.last("events/bank"):
            bank.drain()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, range(3)))
    assert sorted(effects(conninfo)) == sorted(names)
    assert journal.streams() == ()
