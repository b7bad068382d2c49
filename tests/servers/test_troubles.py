"""What may befall every server: it is killed, frozen, restarted, or not there; callers are cancelled, or many."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.contract.backends.postgres import PostgresServer
from tests.contract.faces import Faced, next_event, until_reached
from tests.servers.subjects import KILLED, PATIENT, QUICK, SUBJECTS, nowhere

from seawall.clock import SystemClock
from seawall.engines import Deleted, Durability, Put, open_engine
from seawall.errors import Unavailable, UnknownOutcome

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A server for all: each test has its own database, and leaves it running."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(params=SUBJECTS)
def subject(request):
    """Each server in turn."""
    return SUBJECTS[request.param](request)


@pytest.fixture(params=KILLED)
def killed(request):
    """Each server in turn, also those that write less often than they acknowledge."""
    return KILLED[request.param](request)


def test_what_was_acknowledged_survives_a_kill(subject, runner):
    """With every write on disk first: keys, leases, records, claims; revisions, positions and tokens go on."""
    with subject.open(**PATIENT, **subject.disk) as engine:
        assert engine.guarantees.durability is Durability.disk
        kv, journal = Faced(engine.key_value(), runner), Faced(engine.journal(), runner)
        revisions = [kv.put(f"k{number}", b"%d" % number) for number in range(50)]
        lease = kv.grant(60)
        position = journal.append("s", b"1", b"2")
        claim = journal.claim("s", "me", 60)
        taken = journal.take("s", "me", 60)[0]
        subject.server.kill()
        subject.server.start()
        assert sorted(entry.revision for entry in kv.list().entries) == revisions
        assert kv.keep_alive(lease) == lease
        assert journal.claim("s", "you", 60) is None
        assert journal.renew(claim) == claim
        assert journal.last("s") == position
        journal.acknowledge(taken)
        assert kv.put("k", b"") > revisions[-1]
        assert journal.append("s", b"3", claim=claim) > position
        assert journal.take("s", "me", 60)[0].token > taken.token


def test_a_watch_resumes_after_a_kill(subject, runner):
    """It tells what was written before and after, each change once."""
    with subject.open(**PATIENT) as engine, subject.open(**PATIENT) as other:
        writer = other.key_value()
        first = writer.put("a", b"0")
        watch = Faced(engine.key_value(), runner).watch(after=first, heartbeat=0.4)
        second = writer.put("a", b"1")
        assert watch.poll() == Put("a", b"1", second)
        third = writer.put("a", b"2")
        subject.server.kill()
        subject.server.start()
        assert next_event(watch) == Put("a", b"2", third)
        gone = writer.delete("a").revision
        assert next_event(watch) == Deleted("a", gone)
        watch.close()


def test_a_restart_between_calls_is_not_noticed(subject, runner):
    """Connections that died while idle are replaced before anything is sent on them."""
    with subject.open(**PATIENT) as engine:
        kv = Faced(engine.key_value(), runner)
        for number in range(3):
            assert kv.compare_and_set(f"k{number}", b"", 0)
            subject.server.kill()
            subject.server.start()


def test_a_watch_of_a_frozen_server_is_an_error_in_time(subject, runner):
    """Silence is not idleness; when the server goes on, so does the watch."""
    within = QUICK | {"operation_timeout": subject.resumes_in}
    with subject.open(**within) as engine, subject.open(**PATIENT) as patient:
        first = patient.key_value().put("a", b"0")
        watch = Faced(engine.key_value(), runner).watch(after=first, heartbeat=subject.heartbeat)
        assert until_reached(watch.poll) is None
        subject.server.freeze()
        try:
            with pytest.raises(Unavailable) as silent:
                watch.poll()
            assert str(silent.value).startswith(
                f"the watch of '' has heard nothing from {engine.name} for {subject.heartbeat:g} s and could not "
                f"resume within {subject.resumes_in:g} s ("
            )
        finally:
            subject.server.thaw()
        second = patient.key_value().put("a", b"1")
        assert until_reached(next_event, watch) == Put("a", b"1", second)
        watch.close()


def test_a_frozen_server_leaves_a_change_unknown_and_a_question_unanswered(subject, runner):
    """The change is not sent again, and its late answer is nobody else's."""
    with subject.open(**QUICK) as engine, subject.open(**PATIENT) as patient:
        kv = Faced(engine.key_value(), runner)
        patient.key_value().put("a", b"0")
        # A connection that is open, on which a change can be sent.
        assert until_reached(kv.get, "a").value == b"0"
        subject.server.freeze()
        began = CLOCK.now_ns()
        try:
            with pytest.raises(UnknownOutcome) as unknown:
                kv.put("a", b"1")
            # By now on a connection that nobody answers on, so that no change is sent.
            with pytest.raises(Unavailable):
                kv.put("a", b"2")
            with pytest.raises(Unavailable) as away:
                kv.get("b")
        finally:
            subject.server.thaw()
        assert CLOCK.now_ns() - began < 20e9
        assert subject.says(subject.unknown, engine).fullmatch(str(unknown.value))
        assert subject.says(subject.away, engine).fullmatch(str(away.value))
        assert until_reached(kv.get, "b") is None
        assert until_reached(kv.get, "a").value in (b"0", b"1")
        assert patient.key_value().get("a").value in (b"0", b"1")


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_server_that_is_not_there_is_unavailable(name, runner, tmp_path):
    """The message says where it was looked for, and nothing secret; no change is in doubt."""
    url, said = nowhere(name, tmp_path)
    engine = open_engine(url, operation_timeout=30, attempts=2)
    with pytest.raises(Unavailable) as away:
        Faced(engine.key_value(), runner).put("a", b"")
    assert re.compile(said, re.DOTALL).fullmatch(str(away.value))
    assert "secret" not in str(away.value) + repr(engine)
    Faced(engine, runner).close()


def test_one_engine_serves_many_threads_and_loops_over_few_connections(subject):
    """Nothing is lost, and no more connections are opened than the pool has."""
    with subject.open(**PATIENT, **subject.pool) as engine:
        kv = engine.key_value()

        def value_of(entry) -> tuple[int, int]:
            return (0, 0) if entry is None else (int(entry.value), entry.revision)

        def add() -> None:
            for _ in range(20):
                while True:
                    value, revision = value_of(kv.get("n"))
                    if kv.compare_and_set("n", b"%d" % (value + 1), revision):
                        break

        async def add_async() -> None:
            for _ in range(10):
                while True:
                    value, revision = value_of(await kv.get_async("n"))
                    if await kv.compare_and_set_async("n", b"%d" % (value + 1), revision):
                        break

        async def several() -> None:
            await asyncio.gather(*(add_async() for _ in range(4)))

        together([add] * 8)
        assert kv.get("n").value == b"160"
        assert subject.connections(engine) <= 3
        together([add] * 2 + [lambda: asyncio.run(several())] * 2)
        assert kv.get("n").value == b"280"


def together(works) -> None:
    """Each in a thread, to their ends."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_cancelled_call_does_not_answer_the_next(subject):
    """Its connection is thrown away, or its late answer is nobody's; also for who asks before it has ended."""

    async def run() -> None:
        async with subject.open(lint=False, **subject.pool) as engine:
            kv = engine.key_value()
            for number in range(30):
                await kv.put_async(f"k{number}", b"%d" % number)
                task = asyncio.create_task(kv.get_async("k0"))
                for _ in range(number % 5):
                    await asyncio.sleep(0)
                task.cancel()
                if number % 2:
                    await asyncio.gather(task, return_exceptions=True)
                assert (await kv.get_async(f"k{number}")).value == b"%d" % number
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


@pytest.mark.parametrize("often", [1, 7])
def test_a_watch_that_is_cancelled_misses_nothing(subject, often):
    """What was on its way to it is told by the next question; `often` times as many turns of the loop before that."""

    async def run() -> None:
        async with subject.open(**PATIENT) as engine:
            kv = engine.key_value()
            watch = kv.watch(after=await kv.put_async("a", b""), heartbeat=5)
            for number in range(20):
                task = asyncio.create_task(watch.poll_async())
                for _ in range(often * number):
                    await asyncio.sleep(0)
                put = await kv.put_async("a", b"%d" % number)
                task.cancel()
                event, *_ = await asyncio.gather(task, return_exceptions=True)
                while not isinstance(event, Put):
                    event = await watch.poll_async()
                assert event == Put("a", b"%d" % number, put)
            await watch.close_async()

    asyncio.run(run())


def test_a_server_killed_again_and_again_loses_nothing_it_acknowledged(killed):
    """Writers on both faces and a watch go on over three kills; what is in doubt is there or not, whole, once."""
    done, doubtful, stop = {}, set(), threading.Event()

    def write(client: int) -> None:
        with killed.open(**PATIENT, **killed.disk) as engine, asyncio.Runner() as loop:
            kv, journal = engine.key_value(), engine.journal()
            for number in range(1_000_000):
                if stop.is_set():
                    break
                key = f"{client}-{number}"
                try:
                    if number % 2:
                        done[key] = kv.compare_and_set(key, b"", 0)
                    else:
                        done[key] = loop.run(kv.compare_and_set_async(key, b"", 0))
                except UnknownOutcome:
                    doubtful.add(key)
                with suppress(UnknownOutcome):
                    journal.append("pairs", key.encode(), key.encode())

    with killed.open(**PATIENT) as engine:
        kv, journal = engine.key_value(), engine.journal()
        watch = kv.watch(after=0, heartbeat=0.5)
        writers = [threading.Thread(target=write, args=(client,)) for client in range(3)]
        for writer in writers:
            writer.start()
        for kills in range(1, 4):
            while len(done) < 60 * kills and all(writer.is_alive() for writer in writers):
                CLOCK.sleep(0.01)
            killed.server.kill()
            killed.server.start()
        stop.set()
        for writer in writers:
            writer.join()
        there = {entry.key: entry.revision for entry in kv.list(limit=1_000_000).entries}
        assert all(done.values())
        assert {key: swap.revision for key, swap in done.items()}.items() <= there.items()
        assert set(there) <= set(done) | doubtful
        seen = []
        while watch.revision < max(there.values()):
            seen.append(next_event(watch))
        assert [(event.key, event.revision) for event in seen] == sorted(there.items(), key=lambda each: each[1])
        watch.close()
        records = [record.data for record in journal.scan("pairs", limit=10_000)]
        assert records[0::2] == records[1::2]
        assert len(set(records)) == len(records) / 2
