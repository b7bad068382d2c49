"""What only an etcd does: it is full, damaged, compacted, has members that are away: clear errors, nothing lost."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import threading

import pytest
from tests.contract.faces import Faced, next_event
from tests.etcd_server import PANICS
from tests.ports import free_ports
from tests.servers.subjects import PATIENT

from seawall.engines import Put, Resync, open_engine
from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._session import ASK_ALARMS, ask
from seawall.errors import ConfigError, Damaged, EngineError, Full

FORK = multiprocessing.get_context("fork")


def test_a_watch_behind_a_compaction_says_so(shared_etcd, runner, namespace):
    """A Resync with the state, and then the changes after it; a watch that was told everything goes on."""
    with open_engine(shared_etcd.url, **PATIENT) as engine:
        kv = Faced(engine.key_value(namespace), runner)
        first = kv.put("a", b"0")
        kv.put("a", b"1")
        last = kv.delete("a").revision
        behind, current = kv.watch(after=first, heartbeat=0.4), kv.watch(after=last, heartbeat=0.4)
        shared_etcd.control("compact", str(last // 1024))
        event = behind.poll()
        assert (event.entries, event.revision) == ((), last)
        assert event.reason == (
            f"changes after revision {first} are no longer kept: the server has compacted up to revision {last}"
        )
        second = kv.put("b", b"1")
        assert next_event(behind) == next_event(current) == Put("b", b"1", second)
        behind.close()
        current.close()


def test_a_deletion_that_a_compaction_took_is_not_missed(shared_etcd, runner, namespace):
    """Compacted up to exactly the next change, a deletion, which the server would then leave out."""
    with open_engine(shared_etcd.url, **PATIENT) as engine:
        kv = Faced(engine.key_value(namespace), runner)
        first = kv.put("a", b"0")
        gone = kv.delete("a").revision
        assert gone == first + 1024
        kv.put("b", b"")
        shared_etcd.control("compact", str(gone // 1024))
        event = kv.watch(after=first).poll()
        assert isinstance(event, Resync)
        assert [entry.key for entry in event.entries] == ["b"]


def test_keys_that_vanish_together_are_told_one_by_one(shared_etcd, runner, namespace):
    """Each with a revision of its own, from which a watch can go on."""
    with open_engine(shared_etcd.url, **PATIENT) as engine:
        kv = Faced(engine.key_value(namespace), runner)
        lease = kv.grant(60)
        for key in "cab":
            last = kv.put(key, b"", lease=lease)
        kv.revoke(lease)
        watch = kv.watch(after=last)
        events = [watch.poll() for _ in range(3)]
        assert sorted(event.key for event in events) == ["a", "b", "c"]
        revision = kv.list().revision
        assert [event.revision for event in events] == [revision - 2, revision - 1, revision]
        assert kv.watch(after=events[0].revision).poll() == events[1]
        assert kv.watch("b", after=events[0].revision).poll().key == "b"


def test_something_else_than_etcd_is_told(shared_etcd, runner):
    """A port that speaks HTTP/1.1."""
    url = f"etcd://127.0.0.1:{shared_etcd.metrics_port}"
    with pytest.raises(EngineError) as wrong:
        Faced(open_engine(url, **PATIENT | {"attempts": 1}).key_value(), runner).get("a")
    assert str(wrong.value).startswith(f"{url} ")


def test_the_next_member_is_asked_when_one_is_away(shared_etcd, runner, namespace):
    """One that is not there, and one that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        others = f"127.0.0.1:{free_ports(1)[0]},127.0.0.1:{silent.getsockname()[1]}"
        url = f"etcd://{others},{shared_etcd.place}"
        with open_engine(url, connect_timeout=0.3, **PATIENT) as engine:
            kv = Faced(engine.key_value(namespace), runner)
            watch = kv.watch(after=kv.list().revision)
            first = kv.put("a", b"1")
            assert watch.poll() == Put("a", b"1", first)
            watch.close()


def test_a_full_server_refuses_and_lets_read_and_delete(etcd_with, runner):
    """Nothing is half written; the write that goes over the quota may be there though it was refused."""
    etcd = etcd_with(quota_backend_bytes="2000000")
    etcd.start()
    with open_engine(etcd.url, **PATIENT) as engine:
        kv, journal = Faced(engine.key_value(), runner), Faced(engine.journal(), runner)
        last = 0
        with pytest.raises(Full) as full:  # noqa: PT012 - how many fit is the server's business
            for _ in range(100):
                last = kv.put("a", b"x" * 300_000)
        assert str(full.value) == (
            f"{etcd.url}: etcdserver: mvcc: database space exceeded; compact and defragment it, or raise "
            "quota-backend-bytes, then disarm the alarm (etcdctl alarm disarm); the change that went "
            "over it may have been made"
        )
        with pytest.raises(Full):
            journal.append("s", b"1")
        with pytest.raises(Full):
            kv.grant(60)
        # The server tells of its quota also after the write that went over it.
        assert kv.get("a").revision in (last, last + 1_024)
        assert "alarm is NOSPACE: nothing can be written any more" in str([str(each) for each in engine.lint()])
        assert kv.delete("a")
        with pytest.raises(Full):
            kv.put("b", b"")


def test_what_is_too_large_at_once_is_refused_whole(shared_etcd, runner, namespace):
    """A thousand records are one step; too many bytes are none."""
    with open_engine(shared_etcd.url, **PATIENT) as engine:
        journal = Faced(engine.journal(namespace), runner)
        with pytest.raises(Full) as full:
            journal.append("s", b"x" * 900_000, b"y" * 900_000)
        assert str(full.value) == (
            f"{shared_etcd.url}: etcdserver: request is too large; send less at once, or raise max-request-bytes; "
            "nothing was changed"
        )
        last = journal.append("s", *(b"%d" % number for number in range(1_000)), expected=0)
        assert journal.last("s") == last
        taken = journal.take("s", "me", 60, limit=1_000)
        assert [each.record.data for each in taken] == [b"%d" % number for number in range(1_000)]
        assert journal.trim("s", last) == 1_000
        assert journal.streams() == ()


def test_members_that_disagree_are_damaged(etcd, runner):
    """The alarm CORRUPT: nothing can be written, and opening says so."""
    with open_engine(etcd.url, **PATIENT) as engine:
        kv = Faced(engine.key_value(), runner)
        kv.put("a", b"")
        alarm = m.AskAlarms(action=1, alarm=m.CORRUPT)
        engine._driver.wire.execute(ask(ASK_ALARMS.method, alarm, m.Alarms), 5.0)
        with pytest.raises(Damaged) as damaged:
            kv.put("a", b"")
        assert str(damaged.value).startswith(f"{etcd.url}: etcdserver: corrupt cluster; its members disagree about ")
        with pytest.raises(Damaged) as damaged, open_engine(etcd.url, **PATIENT):
            pass
        assert str(damaged.value).startswith(f"{etcd.url} has the alarm CORRUPT: its members disagree about the data; ")


def test_versions_and_settings_that_lose_data_are_warned_of(shared_etcd):
    """With the danger and the remedy."""
    engine = open_engine(shared_etcd.url)
    with pytest.warns(RuntimeWarning) as warned:
        engine.check()
    assert [str(each.message) for each in warned] == [
        f"{shared_etcd.url}: version is 3.5.1: a member that was killed may come back with other data than the rest "
        "(3.5.0 to 3.5.2); upgrade to 3.5.3 or newer",
        f"{shared_etcd.url}: {PANICS}",
        f"{shared_etcd.url}: members is 1: the cluster stops when one member does, and a lost disk is lost data; run "
        "three or five, on machines of their own",
    ]
    engine.close()


def test_a_version_that_panics_is_logged_once_for_an_engine(shared_etcd, namespace, caplog):
    """When it is first reached, by whichever of threads and tasks, linted or not; making an engine asks nobody."""
    engine = open_engine(shared_etcd.url, **PATIENT)
    assert caplog.records == []
    with asyncio.Runner() as loop:
        kv = engine.key_value(namespace)
        threads = [threading.Thread(target=kv.put, args=("a", b"")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        loop.run(kv.get_async("a"))
        assert [record.getMessage() for record in caplog.records] == [f"{shared_etcd.url}: {PANICS}"]
        loop.run(engine.close_async())


def test_there_is_no_meter(shared_etcd):
    """It says why."""
    with open_engine(shared_etcd.url, **PATIENT) as engine, pytest.raises(ConfigError) as refused:
        engine.meter("limits")
    assert str(refused.value) == (
        f"{shared_etcd.url} has no Meter to keep 'limits' in: etcd's transactions have no clock to decide by; keep "
        "limits in Redis, PostgreSQL or SQLite"
    )


def test_a_forked_child_has_a_loop_and_connections_of_its_own(shared_etcd, namespace):
    """While the parent's go on."""

    async def parent(engine) -> None:
        kv = engine.key_value(namespace)
        watch = kv.watch(after=await kv.put_async("a", b"0"), heartbeat=2)
        answers = FORK.SimpleQueue()
        child = FORK.Process(target=_in_the_child, args=(engine, namespace, answers))
        child.start()
        revision = await asyncio.to_thread(answers.get)
        child.join(30)
        assert child.exitcode == 0
        assert await watch.poll_async() == Put("a", b"child", revision)
        assert (await kv.get_async("a")).value == b"child"
        await watch.close_async()

    with open_engine(shared_etcd.url, **PATIENT) as engine:
        asyncio.run(parent(engine))


def _in_the_child(engine, namespace, answers):
    # The loop that was running when we were forked is the parent's.
    asyncio._set_running_loop(None)
    answers.put(asyncio.run(engine.key_value(namespace).put_async("a", b"child")))
