"""What comes too late on NATS, or half: nobody sees it, and it stands in nobody's way."""

from __future__ import annotations

import asyncio
import secrets
import threading

import pytest

from seawall.engines import ABSENT, Put, Rule, open_engine
from seawall.engines.nats._call import Draft
from seawall.engines.nats._message import UNTIL
from seawall.engines.nats._names import below, key_of, path
from seawall.engines.nats._records import BEFORE, LEFT
from seawall.errors import LeaseLost

LATE = 1
"""A time that is over, in nanoseconds."""


@pytest.fixture
def engine(shared_nats):
    """An engine on a server that others use too."""
    with open_engine(shared_nats.url, lint=False) as opened:
        yield opened


@pytest.fixture
def namespace():
    """One that nobody else uses."""
    return f"t-{secrets.token_hex(6)}"


def run(engine, step):
    """Run a step of one's own."""
    return engine._driver.wire.execute(step, 10.0)


def store(engine, *drafts):
    """Store messages as they are, one by one."""

    async def steps(call):
        return [await call.store(draft) for draft in drafts]

    return run(engine, steps)


def slowly(monkeypatch, thing, seconds):
    """Let a pause come between every look at a lease or claim and what is decided on it."""
    look = thing.look

    async def looked(*args):
        found = await look(*args)
        await asyncio.sleep(seconds)
        return found

    monkeypatch.setattr(thing, "look", looked)


def test_a_late_write_is_not_there(engine, namespace):
    """Neither for get, list, watches nor conditions, and the value before it is."""
    kv = engine.key_value(namespace)
    first = kv.put("a", b"1")
    (late,) = store(engine, Draft(kv._keys._subject("a"), b"2").saying(UNTIL, LATE))
    assert [entry[1:3] for entry in kv.list().entries] == [(b"1", first)]
    store(engine, Draft(kv._keys._subject("a"), b"2").saying(UNTIL, LATE))
    assert kv.get("a").value == b"1"
    store(engine, Draft(kv._keys._subject("a"), b"2").saying(UNTIL, LATE))
    assert kv.compare_and_set("a", b"3", late) == (False, first)
    second = kv.compare_and_set("a", b"3", first)
    assert second.done
    store(engine, Draft(kv._keys._subject("a"), b"2").saying(UNTIL, LATE))
    third = kv.put("a", b"4")
    watch = kv.watch(after=0)
    assert [watch.poll() for _ in range(3)] == [
        Put("a", b"1", first), Put("a", b"3", second.revision), Put("a", b"4", third),
    ]  # fmt: skip
    watch.close()


def test_a_late_write_of_a_new_key_leaves_it_absent(engine, namespace):
    """It can be created, and it cannot be deleted."""
    kv = engine.key_value(namespace)
    kv.get("a")
    store(engine, Draft(kv._keys._subject("a"), b"2").saying(UNTIL, LATE))
    assert kv.list().entries == ()
    store(engine, Draft(kv._keys._subject("a"), b"2").saying(UNTIL, LATE))
    assert kv.delete("a") == (False, 0)
    assert kv.compare_and_set("a", b"1", ABSENT).done


@pytest.mark.parametrize("expected", [None, "seen"])
def test_a_writer_that_pauses_beyond_its_lease_writes_nothing(engine, namespace, monkeypatch, expected):
    """Its message was on the way when the lease ended; what was there stays."""
    kv, other = engine.key_value(namespace), engine.key_value(namespace)
    first = kv.put("a", b"1")
    lease = kv.grant(0.2)
    slowly(monkeypatch, kv._keys.leases, 0.3)
    write = kv.put if expected is None else lambda *given, **more: kv.compare_and_set(*given, first, **more)
    with pytest.raises(LeaseLost):
        write("a", b"2", lease=lease)
    assert other.get("a")[1:] == (b"1", first, None)


def test_a_change_of_a_key_whose_lease_ends_meanwhile_finds_it_gone(engine, namespace, monkeypatch):
    """Compare-and-set and delete, whose messages were on the way."""
    kv, other = engine.key_value(namespace), engine.key_value(namespace)
    slowly(monkeypatch, kv._keys.leases, 0.3)
    for change in (lambda at: kv.compare_and_set("a", b"2", at), lambda at: kv.delete("a", revision=at)):
        revision = other.put("a", b"1", lease=other.grant(0.2))
        assert change(revision) == (False, 0)
        assert other.get("a") is None


def test_a_sign_of_life_that_comes_late_is_none(engine, namespace, monkeypatch):
    """The lease has ended, for everybody."""
    kv, other = engine.key_value(namespace), engine.key_value(namespace)
    lease = kv.grant(0.2)
    kv.put("a", b"1", lease=lease)
    slowly(monkeypatch, kv._keys.leases, 0.3)
    with pytest.raises(LeaseLost):
        kv.keep_alive(lease)
    with pytest.raises(LeaseLost):
        other.keep_alive(lease)
    assert other.get("a") is None


def test_the_end_of_a_lease_that_was_begun_is_finished_by_others(engine, namespace):
    """Who ended it may have died before its keys were gone."""
    kv = engine.key_value(namespace)
    lease = kv.grant(60)
    revisions = [kv.put(f"k{number}", b"", lease=lease) for number in range(3)]
    leases = kv._keys.leases

    async def begin(call):
        living = await leases.look(call, lease.id)
        assert await leases._store_end(call, lease.id, living.sequence)

    run(engine, begin)
    watch = kv.watch(after=revisions[-1])
    assert sorted(watch.poll().key for _ in range(3)) == ["k0", "k1", "k2"]
    watch.close()
    with pytest.raises(LeaseLost):
        kv.keep_alive(lease)
    assert kv.list().entries == ()


def test_an_append_that_comes_too_late_appends_nothing(engine, namespace, monkeypatch):
    """One record or several, with and without an expected position; nothing stands in the way of the next owner."""
    journal, other = engine.journal(namespace), engine.journal(namespace)
    slowly(monkeypatch, journal._claims, 0.3)
    last = other.append("s", b"1")
    for records, expected in ((1, None), (3, None), (1, last), (3, last)):
        claim = other.claim("s", "me", 0.2)
        with pytest.raises(LeaseLost):
            journal.append("s", *[b"late"] * records, expected=expected, claim=claim)
        assert other.last("s") == last
    claim = other.claim("s", "you", 60)
    assert other.append("s", b"2", b"3", expected=last, claim=claim) > last
    assert [record.data for record in other.scan("s")] == [b"1", b"2", b"3"]


def test_records_that_came_too_late_are_skipped(engine, namespace):
    """Before anybody has removed them, and as many records come as were asked for."""
    journal = engine.journal(namespace)
    first = journal.append("s", b"1")
    late = Draft(journal._records.subject("s"), b"late").saying(UNTIL, LATE)
    store(engine, late, *[late.saying(BEFORE, place).saying(LEFT, 1 - place) for place in (0, 1)], late)
    journal.append("s", b"2")
    assert [record.data for record in journal.scan("s", limit=2)] == [b"1", b"2"]
    assert [taken.record.data for taken in journal.take("s", "me", 60, limit=3)] == [b"1", b"2"]
    assert [record.data for record in journal.scan("s", after=first)] == [b"2"]
    store(engine, late)
    journal.append("s", b"3", expected=journal.last("s"))


def test_an_append_of_which_only_a_part_is_there_is_none(engine, namespace):
    """A server that was killed may have stored the first records only; those that came after are there."""
    journal = engine.journal(namespace)
    last = journal.append("s", b"1")
    part = Draft(journal._records.subject("s"), b"part")
    parts = [part.saying(BEFORE, place).saying(LEFT, 2 - place) for place in range(2)]
    store(engine, *parts)
    assert [record.data for record in journal.scan("s")] == [b"1"]
    assert [taken.record.data for taken in journal.take("s", "me", 60, limit=3)] == [b"1"]
    assert journal.last("s") == last
    store(engine, *parts)
    second = journal.append("s", b"2", b"3")
    assert [record.data for record in journal.scan("s")] == [b"1", b"2", b"3"]
    assert journal.last("s") == second


def test_records_of_one_append_are_worked_on_apart(engine, namespace):
    """In any order; a page that ends within them is continued by the next."""
    journal = engine.journal(namespace)
    journal.append("s", b"1", b"2", b"3")
    assert [record.data for record in journal.scan("s", limit=2)] == [b"1", b"2"]
    taken = journal.take("s", "me", 60, limit=3)
    for each in reversed(taken):
        journal.acknowledge(each)
        left = journal.scan("s")
        assert [record.position for record in left] == [t.record.position for t in taken if t.token < each.token]
        assert journal.last("s") == max((record.position for record in left), default=0)


def test_a_late_acknowledgement_leaves_the_record(engine, namespace):
    """It can be taken again, and its attempts are known."""
    journal = engine.journal(namespace)
    journal.append("s", b"1")
    (taken,) = journal.take("s", "me", 60)
    record = taken.record
    done = journal._work._draft("s", record.position, "done", 0.0, taken.attempt)
    store(engine, done.where(taken.token).saying(UNTIL, LATE))
    (again,) = journal.take("s", "you", 60)
    assert (again.record, again.attempt) == (record, 2)


def test_an_acknowledgement_that_was_begun_is_finished_by_others(engine, namespace):
    """Who made it may have died before the record was gone."""
    journal = engine.journal(namespace)
    journal.append("s", b"1")
    (taken,) = journal.take("s", "me", 60)
    done = journal._work._draft("s", taken.record.position, "done", 0.0, taken.attempt)
    store(engine, done.where(taken.token))
    assert journal.take("s", "you", 60) == ()
    assert journal.scan("s") == ()


def test_history_goes_and_values_stay(engine, shared_nats, namespace):
    """What is replaced or deleted leaves the server when it leaves the history."""
    with open_engine(shared_nats.url, history=5, lint=False) as short:
        kv = short.key_value(namespace)
        kept = kv.put("kept", b"1")
        for number in range(30):
            kv.put("a", b"%d" % number)
            kv.put(f"gone{number}", b"")
            kv.delete(f"gone{number}")
        assert [(entry.key, entry.value) for entry in kv.list().entries] == [("a", b"29"), ("kept", b"1")]
        assert kv.get("kept").revision == kept

        async def count(call):
            found = await call.subjects(kv._keys.stream.name, kv._keys.stream.subject("k", ">"))
            return sum(found.values())

        assert run(short, count) <= 5 + 3


def test_a_short_limit_is_forgotten_by_the_server(engine, namespace):
    """The state of a limit says how long it is worth keeping."""
    meter = engine.meter(namespace)
    meter.update("k", Rule.token_bucket(100, burst=1))

    async def kept(call):
        return (await call.last(meter._stream.name, meter._subject("k"))).headers["Nats-TTL"]

    assert run(engine, kept) == "3s"
    assert meter.reset("k") is True


@pytest.mark.parametrize("key", ["a", "/", "//", "a/b", "a//b/", "=", "a=2Fb", "é/*/>", " ", "/" * 512, "🔑" * 128])
def test_a_key_is_a_subject_and_back(engine, namespace, key):
    """Whatever is in it, and every prefix of it finds it."""
    assert key_of(path(key)) == key
    kv = engine.key_value(namespace)
    kv.put(key, b"1")
    kv.put("other", b"")
    for size in {0, 1, len(key) // 2, len(key) - 1, len(key)}:
        assert key in [entry.key for entry in kv.list(key[:size]).entries], below(key[:size])


def test_leases_nobody_looks_at_end_too(shared_nats, namespace):
    """With the history that a writer looks after: nothing of them is left in the server."""
    with open_engine(shared_nats.url, history=1, lint=False) as engine:
        kv = engine.key_value(namespace)
        lease = kv.grant(0.1)
        kv.put("mine", b"", lease=lease)
        stream = kv._keys.stream

        async def left(call):
            found = await call.subjects(stream.name, stream.subject(">"))
            return {subject.split(".")[3] for subject in found} & {"l", "b"}

        while run(engine, left):
            kv.put("other", b"")
        assert kv.get("mine") is None


def test_those_who_ask_for_one_limit_at_once_get_no_more_than_there_is(engine, namespace):
    """Of two limits that are taken together, neither is charged for a call that was refused."""
    meter, admitted = engine.meter(namespace), []
    rules = [(name, Rule.window("fixed_window", most, window=1_000_000)) for name, most in (("a", 30), ("b", 35))]

    def ask() -> None:
        for _ in range(10):
            admitted.append(all(meter.update_all(*rules)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted.count(True) == 30
    assert [reading.remaining for reading in meter.update_all(*rules, consume=False)] == [0, 5]
