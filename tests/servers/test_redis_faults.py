"""What only a Redis server does: it is full, a replica, locked, forgets its data or its scripts, keeps too little."""

from __future__ import annotations

import secrets
import threading

import pytest
from tests.contract.faces import Faced, next_event
from tests.servers.subjects import PATIENT, QUICK
from tests.valkey_server import CLOCK

from seawall.engines import Deleted, Put, Resync, Rule, open_engine
from seawall.engines.redis._call import Call
from seawall.errors import AuthFailed, EngineError, Full, ReadOnly


def command(engine, *words):
    """Send a command as it is."""
    return engine._driver.wire.execute(Call(words), 5.0)


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
        event = next_event(watch)
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
        sleeper = threading.Thread(target=lambda: events.extend(next_event(watch) for _ in range(2)), daemon=True)
        sleeper.start()
        while b"xread" not in command(engine, "CLIENT", "LIST"):
            CLOCK.sleep(0.01)
        second = kv.put("mine", b"1", lease=kv.grant(0.3))
        sleeper.join(30)
        assert [type(event) for event in events] == [Put, Deleted]
        assert events[0].revision == second
        watch.close()


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
