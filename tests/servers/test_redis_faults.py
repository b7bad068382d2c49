"""A Redis server that is killed, frozen, full, a replica, locked, or not there: clear errors, in time, nothing lost."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import threading

import pytest
from tests.contract.faces import Faced
from tests.freezing import freeze
from tests.valkey_server import CLOCK

from seawall.engines import Deleted, Durability, Put, Resync, Rule, open_engine
from seawall.engines.redis._call import Call
from seawall.errors import AuthFailed, EngineError, Full, ReadOnly, Unavailable, UnknownOutcome

QUICK = {"operation_timeout": 0.5, "break_after": 1_000, "lint": False}
PATIENT = {"operation_timeout": 20.0, "break_after": 1_000, "attempts": 100, "lint": False}


@pytest.fixture(params=["sync", "async"])
def runner(request):
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


@pytest.fixture(params=["unix", "tcp"])
def url(request, valkey):
    """The same server by its socket and by its port."""
    return getattr(valkey, request.param)


def command(engine, *words):
    """Send a command as it is."""
    return engine._driver.wire.execute(Call(words), 5.0)


def test_what_was_acknowledged_survives_a_kill(valkey, runner, url):
    """With every write on disk first: keys, leases, records, claims; revisions, positions and tokens go on."""
    with open_engine(url, durability="disk", **PATIENT) as engine:
        assert engine.guarantees.durability is Durability.disk
        kv, journal = Faced(engine.key_value(), runner), Faced(engine.journal(), runner)
        revisions = [kv.put(f"k{number}", b"%d" % number) for number in range(50)]
        lease = kv.grant(60)
        position = journal.append("s", b"1", b"2")
        claim = journal.claim("s", "me", 60)
        taken = journal.take("s", "me", 60)[0]
        valkey.kill()
        valkey.start()
        assert [entry.revision for entry in sorted(kv.list().entries, key=lambda e: e.revision)] == revisions
        assert kv.keep_alive(lease) == lease
        assert journal.renew(claim) == claim
        assert journal.last("s") == position
        journal.acknowledge(taken)
        assert kv.put("k", b"") > revisions[-1]
        assert journal.append("s", b"3", claim=claim) > position
        assert journal.take("s", "me", 60)[0].token > taken.token


def test_a_watch_resumes_after_a_kill(valkey, runner, url):
    """It tells what was written before and after, each change once."""
    with open_engine(url, **PATIENT) as engine, open_engine(url, **PATIENT) as other:
        writer = other.key_value()
        first = writer.put("a", b"0")
        watch = Faced(engine.key_value(), runner).watch(after=first, heartbeat=0.4)
        second = writer.put("a", b"1")
        assert watch.poll() == Put("a", b"1", second)
        third = writer.put("a", b"2")
        valkey.kill()
        valkey.start()
        assert _next(watch) == Put("a", b"2", third)
        gone = writer.delete("a").revision
        assert _next(watch) == Deleted("a", gone)
        watch.close()


def _next(watch):
    while (event := watch.poll()) is None:
        pass
    return event


def test_a_watch_says_when_the_server_has_lost_changes(valkey_with, runner):
    """Without an append-only file: a Resync with what there is, also when new changes have come since."""
    valkey = valkey_with(appendonly="no")
    with open_engine(valkey.unix, **PATIENT) as engine:
        kv = Faced(engine.key_value(), runner)
        kv.put("a", b"0")
        last = kv.put("b", b"0")
        watch = kv.watch(after=last, heartbeat=0.4)
        valkey.kill()
        valkey.start()
        newest = kv.put("a", b"1")
        assert newest > last
        event = _next(watch)
        assert isinstance(event, Resync)
        assert [(entry.key, entry.value) for entry in event.entries] == [("a", b"1")]
        assert event.reason.startswith(f"changes after revision {last} are no longer kept: ")
        watch.close()


def test_tokens_grow_although_the_data_is_lost(valkey_with):
    """They are never below the server's time, so an old holder is told apart from a new one."""
    valkey = valkey_with(appendonly="no")
    with open_engine(valkey.unix, **PATIENT) as engine:
        journal = engine.journal()
        before = journal.claim("s", "old", 60)
        position = journal.append("s", b"", claim=before)
        command(engine, "FLUSHALL")
        after = journal.claim("s", "new", 60)
        assert after.token > before.token
        assert journal.append("s", b"", claim=after) > position
        with pytest.raises(EngineError, match=r"has expired or been taken over"):
            journal.append("s", b"", claim=before)


def test_a_sleeping_watch_hears_of_a_lease_that_ends_before_it_would_wake(valkey):
    """Granted while it sleeps, and nobody touches the server when it ends."""
    with open_engine(valkey.unix, lint=False) as engine:
        kv = engine.key_value()
        first = kv.put("a", b"0")
        watch, events = kv.watch(after=first, heartbeat=300), []
        sleeper = threading.Thread(target=lambda: events.extend(_next(watch) for _ in range(2)), daemon=True)
        sleeper.start()
        while b"xread" not in command(engine, "CLIENT", "LIST"):
            CLOCK.sleep(0.01)
        second = kv.put("mine", b"1", lease=kv.grant(0.3))
        sleeper.join(30)
        assert [type(event) for event in events] == [Put, Deleted]
        assert events[0].revision == second
        watch.close()


def test_a_watch_of_a_frozen_server_is_an_error_in_time(valkey, runner):
    """Silence is not idleness; when the server goes on, so does the watch."""
    with open_engine(valkey.unix, **QUICK) as engine:
        kv = Faced(engine.key_value(), runner)
        first = kv.put("a", b"0")
        watch = kv.watch(after=first, heartbeat=0.2)
        assert watch.poll() is None
        freeze(valkey.process.pid)
        try:
            with pytest.raises(Unavailable) as silent:
                watch.poll()
            assert str(silent.value).startswith(
                f"the watch of '' has heard nothing from {valkey.unix} for 0.2 s and could not resume within 0.5 s ("
            )
        finally:
            os.kill(valkey.process.pid, signal.SIGCONT)
        second = kv.put("a", b"1")
        assert _next(watch) == Put("a", b"1", second)
        watch.close()


def test_a_frozen_server_leaves_a_change_unknown_and_a_question_unanswered(valkey, runner, url):
    """The change is not sent again, and its late answer is nobody else's."""
    with open_engine(url, **QUICK) as engine:
        kv = Faced(engine.key_value(), runner)
        kv.put("a", b"0")
        freeze(valkey.process.pid)
        began = CLOCK.now_ns()
        try:
            with pytest.raises(UnknownOutcome) as unknown:
                kv.put("a", b"1")
            with pytest.raises(Unavailable):
                kv.get("b")
        finally:
            os.kill(valkey.process.pid, signal.SIGCONT)
        assert CLOCK.now_ns() - began < 20e9
        assert str(unknown.value).startswith(f"{url} was sent a command and its answer was lost: ")
        assert str(unknown.value).endswith("; read the state before you decide")
        assert kv.get("b") is None
        assert kv.get("a").value in (b"0", b"1")


def test_a_server_that_is_not_there_is_unavailable(tmp_path, runner):
    """The message says where it was looked for; no change is in doubt."""
    with pytest.raises(Unavailable) as away:
        Faced(open_engine(f"unix://{tmp_path}/none", **QUICK).key_value(), runner).put("a", b"")
    assert str(away.value).startswith(
        f"unix://{tmp_path}/none cannot be reached: Error 2 connecting to {tmp_path}/none"
    )
    assert str(away.value).endswith("; see that it runs and can be reached")


def test_a_restart_between_calls_is_not_noticed(valkey, runner, url):
    """Connections that died while idle are replaced before anything is sent on them."""
    with open_engine(url, **PATIENT) as engine:
        kv = Faced(engine.key_value(), runner)
        for number in range(3):
            assert kv.compare_and_set(f"k{number}", b"", 0)
            valkey.kill()
            valkey.start()


def test_forgotten_scripts_are_sent_again(valkey, runner):
    """By the same call, which does its work once."""
    with open_engine(valkey.unix, **QUICK) as engine:
        kv = Faced(engine.key_value(), runner)
        kv.put("a", b"0")
        command(engine, "SCRIPT", "FLUSH")
        assert kv.compare_and_set("a", b"1", kv.get("a").revision)
        command(engine, "SCRIPT", "FLUSH")
        assert kv.compare_and_set("b", b"1", 0)
        assert kv.get("b").value == b"1"


def test_a_password_is_needed_and_never_shown(valkey_with, runner):
    """Without it, with a wrong one, and for a user who may not do this."""
    valkey = valkey_with(requirepass="correct horse")
    host = f"127.0.0.1:{valkey.port}"
    for credentials in ("", ":wr0ng@", "nobody:wr0ng@"):
        with pytest.raises(AuthFailed) as refused:
            Faced(open_engine(f"redis://{credentials}{host}", **QUICK).key_value(), runner).get("a")
        assert str(refused.value).startswith(f"redis://{host}: ")
        assert str(refused.value).endswith("; check user and password in the URL, and what the user may do (ACL)")
        assert "wr0ng" not in str(refused.value)
    with open_engine(f"redis://:correct%20horse@{host}/3", **QUICK) as engine:
        assert Faced(engine.key_value(), runner).put("a", b"") > 0
        command(engine, "ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+@connection")
        with pytest.raises(AuthFailed), open_engine(f"redis://reader:pw@{host}/3", **QUICK) as reader:
            reader.key_value().get("a")
        assert "horse" not in repr(engine)


def test_a_full_server_refuses_and_lets_delete(valkey, runner):
    """Nothing is half written; deleting makes room."""
    with open_engine(valkey.unix, **QUICK) as engine:
        kv, meter = Faced(engine.key_value(), runner), Faced(engine.meter(), runner)
        revision = kv.put("a", b"0")
        command(engine, "CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(Full) as full:
            kv.put("b", b"1")
        assert str(full.value).startswith(f"{valkey.unix}: command not allowed when used memory > 'maxmemory'")
        assert str(full.value).endswith("; raise maxmemory, or delete what is not needed; nothing was changed")
        with pytest.raises(Full):
            meter.update("k", Rule.token_bucket(1))
        assert kv.list().revision == revision
        assert kv.delete("a")
        command(engine, "CONFIG", "SET", "maxmemory", "0")
        assert kv.put("b", b"1") > revision


def test_a_replica_is_refused(valkey, runner):
    """When it is opened, and when it became one since."""
    with open_engine(valkey.unix, **QUICK) as engine:
        kv = Faced(engine.key_value(), runner)
        kv.put("a", b"0")
        command(engine, "REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(ReadOnly) as refused:
            kv.put("a", b"1")
        assert str(refused.value).endswith("; it is a replica: connect to the primary")
        with pytest.raises(ReadOnly) as refused, open_engine(valkey.unix, **QUICK):
            pass
        assert str(refused.value) == f"{valkey.unix} is a replica of 127.0.0.1; connect to the primary"


def test_a_server_that_keeps_less_than_was_said_is_refused(valkey_with, runner):
    """On the first connection: before anything is written there."""
    valkey = valkey_with(appendfsync="everysec")
    with pytest.raises(EngineError) as refused:
        Faced(open_engine(valkey.unix, durability="disk", **QUICK).key_value(), runner).put("a", b"")
    assert str(refused.value) == (
        f"{valkey.unix} has appendonly yes and appendfsync everysec, which is not durability=disk; set appendonly yes "
        "and appendfsync always there, or open it with a lower durability"
    )


def test_settings_that_lose_data_are_warned_of(valkey_with):
    """With the danger and the remedy."""
    valkey = valkey_with(appendonly="no")
    expected = (
        f"{valkey.unix}: appendonly is no: everything since the last snapshot is lost when the server ends; "
        "CONFIG SET appendonly yes, and the same in its configuration file"
    )
    engine = open_engine(valkey.unix)
    with pytest.warns(RuntimeWarning) as warned:
        engine.check()
    assert [str(each.message) for each in warned] == [expected]
    command(engine, "CONFIG", "SET", "maxmemory-policy", "volatile-lru")
    assert [finding.setting for finding in engine.lint()] == ["appendonly", "maxmemory-policy"]
    engine.close()


def test_one_engine_serves_many_threads_over_few_connections(valkey):
    """Nothing is lost, and no more connections are opened than the pool has."""
    with open_engine(valkey.unix, pool_size=3, lint=False) as engine:
        kv = engine.key_value()

        def add() -> None:
            for _ in range(25):
                while True:
                    entry = kv.get("n")
                    value, revision = (0, 0) if entry is None else (int(entry.value), entry.revision)
                    if kv.compare_and_set("n", b"%d" % (value + 1), revision):
                        break

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert kv.get("n").value == b"200"
        assert len(command(engine, "CLIENT", "LIST").splitlines()) <= 3


def test_a_cancelled_call_does_not_answer_the_next(valkey):
    """Its connection is thrown away."""

    async def run() -> None:
        async with open_engine(valkey.unix, lint=False) as engine:
            kv = engine.key_value()
            for number in range(20):
                await kv.put_async(f"k{number}", b"%d" % number)
                task = asyncio.create_task(kv.get_async("k0"))
                for _ in range(number % 5):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert (await kv.get_async(f"k{number}")).value == b"%d" % number

    asyncio.run(run())


def test_the_history_is_bounded_in_bytes_too(valkey):
    """Large values push old changes out; the newest is always there."""
    with open_engine(valkey.unix, history_bytes=10_000, lint=False) as engine:
        kv = engine.key_value(f"t-{secrets.token_hex(4)}")
        first = kv.put("a", b"x" * 4_000)
        second = kv.put("a", b"y" * 4_000)
        third = kv.put("a", b"z" * 4_000)
        assert isinstance(kv.watch(after=0).poll(), Resync)
        watch = kv.watch(after=first)
        assert [watch.poll().revision for _ in range(2)] == [second, third]
        last = kv.put("a", b"w" * 20_000)
        assert kv.watch(after=third).poll() == Put("a", b"w" * 20_000, last)


def test_a_server_killed_again_and_again_loses_nothing_it_acknowledged(valkey, url):
    """Writers on both faces and a watch go on over three kills; what is in doubt is there or not, never twice."""
    done, doubtful, stop = {}, set(), threading.Event()

    def write(client: int) -> None:
        with open_engine(url, durability="disk", **PATIENT) as engine:
            kv = engine.key_value()
            loop = asyncio.Runner()
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
            loop.close()

    with open_engine(url, **PATIENT) as engine:
        kv = engine.key_value()
        watch = kv.watch(after=0, heartbeat=0.5)
        writers = [threading.Thread(target=write, args=(client,)) for client in range(3)]
        for writer in writers:
            writer.start()
        for kills in range(1, 4):
            while len(done) < 100 * kills and all(writer.is_alive() for writer in writers):
                CLOCK.sleep(0.01)
            valkey.kill()
            valkey.start()
        stop.set()
        for writer in writers:
            writer.join()
        listing = kv.list(limit=1_000_000)
        there = {entry.key: entry.revision for entry in listing.entries}
        assert all(done.values())
        assert {key: swap.revision for key, swap in done.items()}.items() <= there.items()
        assert set(there) <= set(done) | doubtful
        seen = []
        while watch.revision < listing.revision:
            seen.append(_next(watch))
        assert [(event.key, event.revision) for event in seen] == sorted(there.items(), key=lambda each: each[1])
        watch.close()
