"""An etcd that is killed and comes again: nothing is lost that was acknowledged, and nothing happens twice."""

from __future__ import annotations

import asyncio
import threading

from tests.contract.faces import Faced
from tests.etcd_server import CLOCK, next_event

from seawall.engines import Deleted, Put, Resync, open_engine
from seawall.errors import UnknownOutcome

PATIENT = {"operation_timeout": 20.0, "break_after": 1_000, "attempts": 100, "lint": False}


def test_what_was_acknowledged_survives_a_kill(etcd, runner):
    """Keys, leases, records, claims; revisions, positions and tokens go on, over connections that died while idle."""
    with open_engine(etcd.url, **PATIENT) as engine:
        kv, journal = Faced(engine.key_value(), runner), Faced(engine.journal(), runner)
        revisions = [kv.put(f"k{number}", b"%d" % number) for number in range(20)]
        lease = kv.grant(60)
        position = journal.append("s", b"1", b"2")
        claim = journal.claim("s", "me", 60)
        taken = journal.take("s", "me", 60)[0]
        etcd.kill()
        etcd.start()
        assert kv.compare_and_set("new", b"", 0)
        assert sorted(entry.revision for entry in kv.list("k").entries) == revisions
        assert kv.keep_alive(lease) == lease
        assert journal.renew(claim) == claim
        assert journal.last("s") == position
        journal.acknowledge(taken)
        assert kv.put("k", b"") > revisions[-1]
        assert journal.append("s", b"3", claim=claim) > position
        assert journal.take("s", "me", 60)[0].token > taken.token


def test_a_watch_resumes_after_a_kill(etcd, runner):
    """It tells what was written before and after, each change once."""
    with open_engine(etcd.url, **PATIENT) as engine, open_engine(etcd.url, **PATIENT) as other:
        writer = other.key_value()
        first = writer.put("a", b"0")
        watch = Faced(engine.key_value(), runner).watch(after=first, heartbeat=0.4)
        second = writer.put("a", b"1")
        assert watch.poll() == Put("a", b"1", second)
        third = writer.put("a", b"2")
        etcd.kill()
        etcd.start()
        assert next_event(watch) == Put("a", b"2", third)
        gone = writer.delete("a").revision
        assert next_event(watch) == Deleted("a", gone)
        watch.close()


def test_a_watch_of_a_server_that_lost_its_data_begins_anew(etcd, runner):
    """Its revisions begin again below the watch's: a Resync, and not silence."""
    with open_engine(etcd.url, **PATIENT) as engine:
        kv = Faced(engine.key_value(), runner)
        for number in range(5):
            last = kv.put("a", b"%d" % number)
        watch = kv.watch(after=last, heartbeat=0.4)
        assert watch.poll() is None
        etcd.stop()
        etcd.start()
        kv.put("b", b"")
        event = next_event(watch)
        assert isinstance(event, Resync)
        assert [entry.key for entry in event.entries] == ["b"]
        assert event.reason == (
            f"changes after revision {last} are no longer kept: the newest revision is {event.revision}, asked after "
            f"{last}"
        )
        watch.close()


def test_a_server_killed_again_and_again_loses_nothing_it_acknowledged(etcd):
    """Writers on both faces and a watch go on over three kills; what is in doubt is there or not, never twice."""
    done, doubtful, stop = {}, set(), threading.Event()

    def write(client: int) -> None:
        with open_engine(etcd.url, **PATIENT) as engine:
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

    with open_engine(etcd.url, **PATIENT) as engine:
        kv = engine.key_value()
        watch = kv.watch(after=0, heartbeat=0.5)
        writers = [threading.Thread(target=write, args=(client,)) for client in range(3)]
        for writer in writers:
            writer.start()
        for kills in range(1, 4):
            while len(done) < 100 * kills and all(writer.is_alive() for writer in writers):
                CLOCK.sleep(0.01)
            etcd.kill()
            etcd.start()
        stop.set()
        for writer in writers:
            writer.join()
        listing = kv.list(limit=1_000_000)
        there = {entry.key: entry.revision for entry in listing.entries}
        assert all(done.values())
        assert {key: swap.revision for key, swap in done.items()}.items() <= there.items()
        assert set(there) <= set(done) | doubtful
        seen = []
        while watch.revision < max(there.values()):
            seen.append(next_event(watch))
        assert [(event.key, event.revision) for event in seen] == sorted(there.items(), key=lambda each: each[1])
        watch.close()


def test_work_is_done_once_over_a_server_killed_again_and_again(etcd):
    """Every record that was acknowledged as appended is worked on; an acknowledged one is never given out again."""
    appended, finished, doubtful, stop = [], [], set(), threading.Event()

    def produce() -> None:
        with open_engine(etcd.url, **PATIENT) as engine:
            journal, number = engine.journal(), 0
            while not stop.is_set():
                number += 1
                try:
                    appended.append(journal.append("work", b"%d" % number))
                except UnknownOutcome:
                    continue

    def work(who: str) -> None:
        with open_engine(etcd.url, **PATIENT) as engine:
            journal = engine.journal()
            while not stop.is_set():
                try:
                    # What is taken although the answer is lost stays so: it is given to nobody else here.
                    taken = journal.take("work", who, 3600, limit=2)
                except UnknownOutcome:
                    continue
                for each in taken:
                    try:
                        journal.acknowledge(each)
                        finished.append(each.record.position)
                    except UnknownOutcome:
                        doubtful.add(each.record.position)

    threads = [threading.Thread(target=produce), *(threading.Thread(target=work, args=(who,)) for who in "ab")]
    for thread in threads:
        thread.start()
    for kills in range(1, 3):
        while len(finished) < 30 * kills and all(thread.is_alive() for thread in threads):
            CLOCK.sleep(0.01)
        etcd.kill()
        etcd.start()
    stop.set()
    for thread in threads:
        thread.join()
    with open_engine(etcd.url, **PATIENT) as engine:
        left = {record.position for record in engine.journal().scan("work", limit=10_000)}
        head = engine.journal().last("work")
    assert len(finished) == len(set(finished)) >= 60
    assert not left & set(finished)
    assert set(appended) <= set(finished) | doubtful | left
    assert head == max(left, default=0)
