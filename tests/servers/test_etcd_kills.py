"""An etcd that is killed and comes again, with its data or without."""

from __future__ import annotations

import threading

from tests.contract.faces import Faced, next_event
from tests.etcd_server import CLOCK
from tests.servers.subjects import PATIENT

from seawall.engines import Resync, open_engine
from seawall.errors import UnknownOutcome


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
