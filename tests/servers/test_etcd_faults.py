"""An etcd that is killed, frozen, full, damaged, locked, or not there: clear errors, in time, nothing lost."""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import secrets
import signal
import socket
import threading
from contextlib import suppress

import pytest
from tests.contract.faces import Faced
from tests.etcd_server import CLOCK, EtcdServer, free_ports

from seawall.engines import Deleted, Put, Resync, open_engine
from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._session import ASK_ALARMS, ask
from seawall.errors import AuthFailed, ConfigError, Damaged, EngineError, Full, Unavailable, UnknownOutcome

QUICK = {"operation_timeout": 0.5, "break_after": 1_000, "lint": False}
FORK = multiprocessing.get_context("fork")
PATIENT = {"operation_timeout": 20.0, "break_after": 1_000, "attempts": 100, "lint": False}


@pytest.fixture(params=["sync", "async"])
def runner(request):
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


@pytest.fixture
def namespace():
    """A namespace nobody else uses."""
    return f"t-{secrets.token_hex(8)}"


def _next(watch):
    while (event := watch.poll()) is None:
        pass
    return event


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
        assert _next(watch) == Put("a", b"2", third)
        gone = writer.delete("a").revision
        assert _next(watch) == Deleted("a", gone)
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
        event = _next(watch)
        assert isinstance(event, Resync)
        assert [entry.key for entry in event.entries] == ["b"]
        assert event.reason == (
            f"changes after revision {last} are no longer kept: the newest revision is {event.revision}, asked after "
            f"{last}"
        )
        watch.close()


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
        assert _next(behind) == _next(current) == Put("b", b"1", second)
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


def test_a_watch_of_a_frozen_server_is_an_error_in_time(etcd, runner):
    """Silence is not idleness; when the server goes on, so does the watch."""
    with open_engine(etcd.url, **QUICK) as engine, open_engine(etcd.url, **PATIENT) as patient:
        first = patient.key_value().put("a", b"0")
        watch = Faced(engine.key_value(), runner).watch(after=first, heartbeat=0.2)
        _until_followed(watch)
        etcd.signal(signal.SIGSTOP)
        try:
            with pytest.raises(Unavailable) as silent:
                watch.poll()
            assert str(silent.value).startswith(
                f"the watch of '' has heard nothing from {etcd.url} for 0.2 s and could not resume within 0.5 s ("
            )
        finally:
            etcd.signal(signal.SIGCONT)
        second = patient.key_value().put("a", b"1")
        event = None
        while event is None:
            with suppress(Unavailable):
                event = watch.poll()
        assert event == Put("a", b"1", second)
        watch.close()


def _until_followed(watch):
    """Whoever has little patience may have to try twice on a busy machine."""
    while True:
        with suppress(Unavailable):
            assert watch.poll() is None
            return


def test_a_frozen_server_leaves_a_change_unknown_and_a_question_unanswered(etcd, runner):
    """The change is not sent again, and its late answer is nobody else's."""
    with open_engine(etcd.url, **QUICK) as engine, open_engine(etcd.url, **PATIENT) as patient:
        kv = Faced(engine.key_value(), runner)
        patient.key_value().put("a", b"0")
        # A connection that is open, on which a change can be sent.
        while True:
            with suppress(Unavailable):
                assert kv.get("a").value == b"0"
                break
        etcd.signal(signal.SIGSTOP)
        began = CLOCK.now_ns()
        try:
            with pytest.raises(UnknownOutcome) as unknown:
                kv.put("a", b"1")
            with pytest.raises(Unavailable) as away:
                kv.put("a", b"2")
            with pytest.raises(Unavailable):
                kv.get("b")
        finally:
            etcd.signal(signal.SIGCONT)
        assert CLOCK.now_ns() - began < 20e9
        assert str(unknown.value) == (
            f"{etcd.url} was sent a call and its answer was lost: no answer in time; read the state before you decide"
        )
        assert str(away.value).startswith(f"{etcd.url} ")
        assert patient.key_value().get("a").value in (b"0", b"1")


def test_a_server_that_is_not_there_is_unavailable(runner):
    """The message says where it was looked for; no change is in doubt."""
    (port,) = free_ports(1)
    engine = open_engine(f"etcd://me:secret@127.0.0.1:{port}", **QUICK)
    with pytest.raises(Unavailable) as away:
        Faced(engine.key_value(), runner).put("a", b"")
    assert str(away.value).startswith(f"etcd://127.0.0.1:{port} cannot be reached: [Errno {errno.ECONNREFUSED}] ")
    assert str(away.value).endswith("; see that it runs and can be reached")
    assert "secret" not in str(away.value) + repr(engine)


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


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A member that knows root, a user of seawall's keys, and one of other keys."""
    server = EtcdServer(tmp_path_factory.mktemp("etcd"))
    server.start()
    for words in (
        "user add root:correct horse", "user grant-role root root", "role add ours",
        "role grant-permission ours --prefix=true readwrite seawall/", "user add me:p@ss", "user grant-role me ours",
        "role add theirs", "role grant-permission theirs --prefix=true readwrite other/", "user add they:p@ss",
        "user grant-role they theirs", "auth enable",
    ):  # fmt: skip
        parts = words.split(" ") if ":correct" not in words else ["user", "add", "root:correct horse"]
        server.control(*parts)
    yield server
    server.stop()


def test_who_we_are_is_asked(locked, runner, namespace):
    """Without a user, with a wrong password, for a user who may not do this, and for one who may."""
    for credentials, says in (
        ("", "etcdserver: user name is empty; it wants a user and a password: etcd://user:password@host"),
        ("me:wr0ng@", "etcdserver: authentication failed, invalid user ID or password; check user and password in the "
         "URL"),
        ("they:p%40ss@", "etcdserver: permission denied; let a role of this user read and write keys that begin with "
         "seawall/"),
    ):  # fmt: skip
        engine = open_engine(f"etcd://{credentials}{locked.place}", **PATIENT)
        with pytest.raises(AuthFailed) as refused:
            Faced(engine.key_value(), runner).get("a")
        Faced(engine, runner).close()
        assert str(refused.value) == f"{locked.url}: {says}"
    with open_engine(f"etcd://me:p%40ss@{locked.place}", **PATIENT) as engine:
        kv, journal = Faced(engine.key_value(namespace), runner), Faced(engine.journal(namespace), runner)
        first = kv.put("a", b"")
        watch = kv.watch(after=first, heartbeat=0.4)
        second = kv.put("a", b"1")
        assert _next(watch) == Put("a", b"1", second)
        assert kv.revoke(kv.grant(60))
        journal.append("s", b"1", claim=journal.claim("s", "me", 60))
        assert "p@ss" not in repr(engine)
        watch.close()


def test_a_token_that_is_no_longer_good_is_fetched_again(locked, runner, namespace):
    """After a restart, which forgets tokens, and after a change of users."""
    with open_engine(f"etcd://me:p%40ss@{locked.place}", **PATIENT) as engine:
        kv = Faced(engine.key_value(namespace), runner)
        first = kv.put("a", b"")
        watch = kv.watch(after=first, heartbeat=0.4)
        locked.kill()
        locked.start(ready=False)
        second = kv.put("a", b"1")
        assert _next(watch) == Put("a", b"1", second)
        locked.control("--user=root:correct horse", "user", "add", f"{namespace}:x")
        assert kv.compare_and_set("a", b"2", second)
        watch.close()


def test_a_password_that_nobody_wants_is_told_by_lint(shared_etcd):
    """The server lets everybody in."""
    with open_engine(f"etcd://me:pw@{shared_etcd.place}", **PATIENT) as engine:
        assert [finding.setting for finding in engine.lint()] == ["auth", "version", "members"]


def test_a_full_server_refuses_and_lets_read_and_delete(etcd_with, runner):
    """Nothing is half written."""
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
            "quota-backend-bytes, then disarm the alarm (etcdctl alarm disarm); nothing was changed"
        )
        with pytest.raises(Full):
            journal.append("s", b"1")
        with pytest.raises(Full):
            kv.grant(60)
        assert kv.get("a").revision == last
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
        f"{shared_etcd.url}: members is 1: the cluster stops when one member does, and a lost disk is lost data; run "
        "three or five, on machines of their own",
    ]
    engine.close()


def test_there_is_no_meter(shared_etcd):
    """It says why."""
    with open_engine(shared_etcd.url, **PATIENT) as engine, pytest.raises(ConfigError) as refused:
        engine.meter("limits")
    assert str(refused.value) == (
        f"{shared_etcd.url} has no Meter to keep 'limits' in: etcd's transactions have no clock to decide by; keep "
        "limits in Redis, PostgreSQL or SQLite"
    )


def test_one_engine_serves_many_threads_and_loops_over_few_connections(shared_etcd, namespace):
    """Nothing is lost."""
    with open_engine(shared_etcd.url, pool_size=3, **PATIENT) as engine:
        kv = engine.key_value(namespace)

        def add() -> None:
            for _ in range(10):
                while True:
                    entry = kv.get("n")
                    value, revision = (0, 0) if entry is None else (int(entry.value), entry.revision)
                    if kv.compare_and_set("n", b"%d" % (value + 1), revision):
                        break

        async def add_async() -> None:
            for _ in range(10):
                while True:
                    entry = await kv.get_async("n")
                    value, revision = (0, 0) if entry is None else (int(entry.value), entry.revision)
                    if await kv.compare_and_set_async("n", b"%d" % (value + 1), revision):
                        break

        async def several() -> None:
            await asyncio.gather(*(add_async() for _ in range(4)))

        threads = [threading.Thread(target=add) for _ in range(4)]
        threads += [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert kv.get("n").value == b"120"
        assert len(engine._driver.wire._here.idle) <= 3


def test_a_cancelled_call_does_not_answer_the_next(shared_etcd, namespace):
    """And a cancelled watch goes on where it stood."""

    async def run() -> None:
        async with open_engine(shared_etcd.url, **PATIENT) as engine:
            kv = engine.key_value(namespace)
            revisions = []
            watch = kv.watch(after=await kv.put_async("k", b""), heartbeat=0.5)
            for number in range(20):
                revisions.append(await kv.put_async(f"k{number}", b"%d" % number))
                task, poll = asyncio.create_task(kv.get_async("k0")), asyncio.create_task(watch.poll_async())
                for _ in range(number % 5):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert (await kv.get_async(f"k{number}")).value == b"%d" % number
                poll.cancel()
                event = (await asyncio.gather(poll, return_exceptions=True))[0]
                while not isinstance(event, Put):
                    event = await watch.poll_async()
                assert event == Put(f"k{number}", b"%d" % number, revisions[-1])
            await watch.close_async()

    asyncio.run(run())


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
            seen.append(_next(watch))
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
