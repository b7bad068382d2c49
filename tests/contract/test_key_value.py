"""What every engine's KeyValue keeps to."""

from __future__ import annotations

from types import MethodType

import pytest
from tests.contract.faces import Faced

from seawall.engines import ABSENT, Deleted, KeyValue, Put, Resync
from seawall.errors import ConfigError, Conflict, Full, LeaseLost


def test_a_key_is_what_was_put_last(kv):
    """Get answers None before the first put, and then the last value with its revision."""
    assert kv.get("color") is None
    first = kv.put("color", b"red")
    second = kv.put("color", b"blue")
    assert second > first > 0
    entry = kv.get("color")
    assert (entry.key, entry.value, entry.revision, entry.lease) == ("color", b"blue", second, None)


@pytest.mark.parametrize("value", [b"", b"\x00\xff\n", b"x" * 1_000_000])
def test_any_bytes_come_back(kv, value):
    """Empty, binary and large values are kept as they are."""
    kv.put("key", value)
    assert kv.get("key").value == value


@pytest.mark.parametrize("key", ["a", "a/b.c*d>e", "ключ 钥匙 🔑", "a'b\"c%_\\", " ", "x" * 512])
def test_any_text_is_a_key(kv, key):
    """Keys are told apart whatever is in them."""
    kv.put(key, b"1")
    assert kv.get(key).value == b"1"
    assert [entry.key for entry in kv.list().entries] == [key]
    assert kv.delete(key)
    assert kv.list().entries == ()


def test_compare_and_set_only_creates_what_is_absent(kv):
    """With ABSENT it creates once, and tells the revision that is there."""
    created = kv.compare_and_set("key", b"1", ABSENT)
    assert created.done
    assert kv.compare_and_set("key", b"2", ABSENT) == (False, created.revision)
    assert kv.get("key").value == b"1"


def test_compare_and_set_changes_only_what_is_as_it_was(kv):
    """It changes at the expected revision, and otherwise nothing, telling the revision that is there."""
    first = kv.put("key", b"1")
    second = kv.compare_and_set("key", b"2", first)
    assert second.done
    assert second.revision > first
    assert kv.compare_and_set("key", b"3", first) == (False, second.revision)
    assert kv.compare_and_set("other", b"3", first) == (False, 0)
    assert kv.get("key").value == b"2"
    assert kv.get("other") is None


def test_delete_is_conditional_when_asked(kv):
    """It deletes at the expected revision only, and says whether there was anything."""
    assert kv.delete("key") == (False, 0)
    first = kv.put("key", b"1")
    second = kv.put("key", b"2")
    assert kv.delete("key", revision=first) == (False, second)
    gone = kv.delete("key", revision=second)
    assert gone.done
    assert gone.revision > second
    assert kv.get("key") is None
    assert kv.delete("key", revision=second) == (False, 0)


def test_a_created_key_has_a_revision_never_used_before(kv):
    """Deleting and creating again gives a higher revision, so revisions can fence."""
    first = kv.put("key", b"1")
    kv.delete("key")
    assert kv.compare_and_set("key", b"1", ABSENT).revision > first


def test_list_has_what_begins_with_the_prefix_in_order(kv):
    """By code points, at a revision no lower than that of any entry."""
    keys = ["a", "a/", "a/b", "a/é", "a/\U0001f511", "a0", "b", "a/\uffee"]
    for key in keys:
        last = kv.put(key, key.encode())
    found = kv.list("a/")
    assert [entry.key for entry in found.entries] == ["a/", "a/b", "a/é", "a/\uffee", "a/\U0001f511"]
    assert all(entry.value == entry.key.encode() for entry in found.entries)
    assert found.revision == last
    assert [entry.key for entry in kv.list().entries] == sorted(keys)
    assert kv.list("nothing").entries == ()


def test_list_refuses_to_be_endless(kv):
    """More than the limit is an error, not a part."""
    for number in range(3):
        kv.put(f"k{number}", b"")
    assert len(kv.list(limit=3).entries) == 3
    with pytest.raises(Full) as refused:
        kv.list(limit=2)
    assert str(refused.value) == "more than 2 keys begin with ''; list a longer prefix or raise limit"


def test_namespaces_do_not_see_each_other(kv, engine, namespace):
    """The same key in another namespace is another key."""
    kv.put("key", b"1")
    other = engine.key_value(f"{namespace}-2")
    assert other.get("key") is None
    assert other.list().entries == ()


def test_keys_vanish_with_their_lease(kv, backend):
    """When its time is over all its keys are gone, and no others."""
    lease = kv.grant(backend.short)
    assert lease.ttl == backend.short
    kv.put("mine", b"1", lease=lease)
    kv.compare_and_set("mine too", b"1", ABSENT, lease=lease)
    kv.put("stays", b"1")
    assert kv.get("mine").lease == lease.id
    backend.pass_time(backend.short + kv.guarantees.lease_precision + 0.001)
    assert kv.get("mine") is None
    assert [entry.key for entry in kv.list().entries] == ["stays"]
    assert kv.compare_and_set("mine", b"2", ABSENT).done


def test_a_lease_kept_alive_goes_on(kv, backend):
    """Each sign of life gives its full time again."""
    lease = kv.grant(backend.short)
    kv.put("mine", b"1", lease=lease)
    for _ in range(3):
        backend.pass_time(backend.short / 2)
        assert kv.keep_alive(lease) == lease
    assert kv.get("mine").value == b"1"


def test_a_lease_that_has_ended_is_lost(kv, backend):
    """It cannot be kept alive or written under, and nothing is written."""
    lease = kv.grant(backend.short)
    backend.pass_time(backend.short + kv.guarantees.lease_precision + 0.001)
    with pytest.raises(LeaseLost) as lost:
        kv.keep_alive(lease)
    assert str(lost.value) == (
        f"lease {lease.id} has ended, and its keys with it; stop what it protected, then grant another and write again"
    )
    with pytest.raises(LeaseLost):
        kv.put("mine", b"1", lease=lease)
    assert kv.get("mine") is None
    assert kv.revoke(lease) is False


def test_revoke_ends_a_lease_at_once(kv):
    """Its keys are gone, each by a change of its own."""
    lease = kv.grant(60)
    kv.put("a", b"1", lease=lease)
    before = kv.put("b", b"1", lease=lease)
    assert kv.revoke(lease) is True
    assert kv.revoke(lease) is False
    assert kv.list().entries == ()
    assert kv.list().revision >= before + 2


def test_a_key_has_the_lease_of_its_last_write(kv, backend):
    """A write without a lease unbinds it, one with another lease binds it to that."""
    short, long = kv.grant(backend.short), kv.grant(60)
    kv.put("free", b"1", lease=short)
    kv.put("free", b"2")
    kv.put("moved", b"1", lease=short)
    kv.put("moved", b"2", lease=long)
    backend.pass_time(backend.short + kv.guarantees.lease_precision + 0.001)
    assert [entry.key for entry in kv.list().entries] == ["free", "moved"]


def test_an_unknown_lease_is_lost(kv):
    """A lease that was never granted looks like one that has ended."""
    with pytest.raises(LeaseLost):
        kv.put("key", b"1", lease="987654321")


@pytest.fixture(params=["its own enlist", "the composed enlist"])
def line(kv, request):
    """The port with the engine's own enlist, and with the one that engines get which have none."""
    if request.param == "the composed enlist":
        kv.thing._enlist = MethodType(KeyValue._enlist, kv.thing)
    return kv


def test_enlist_creates_a_key_with_a_lease_of_its_own(line, backend):
    """In the order of arrival, each is told how many below the prefix are older; the key vanishes with the lease."""
    line.put("elsewhere", b"")
    first = line.enlist("q/b", b"me", ttl=backend.short, behind="q/")
    second = line.enlist("q/a", b"you", ttl=60, behind="q/")
    assert (first.done, first.ahead, second.done, second.ahead) == (True, 0, True, 1)
    assert second.revision > first.revision
    entry = line.get("q/b")
    assert (entry.value, entry.revision, entry.lease) == (b"me", first.revision, first.lease.id)
    assert line.keep_alive(first.lease) == first.lease
    backend.pass_time(backend.short + line.guarantees.lease_precision + 0.001)
    assert [found.key for found in line.list("q/").entries] == ["q/a"]
    assert line.revoke(second.lease) is True
    assert line.list("q/").entries == ()


def test_enlist_creates_nothing_where_there_are_enough(line):
    """Fewer than `most` keys below the prefix, or nothing is created, and no lease is left."""
    assert line.enlist("q/a", b"", ttl=60, behind="q/", most=2)
    assert line.enlist("q/b", b"", ttl=60, behind="q/", most=2)
    refused = line.enlist("q/c", b"", ttl=60, behind="q/", most=2)
    assert refused == (False, 0, None, 2)
    assert not refused
    assert [found.key for found in line.list("q/").entries] == ["q/a", "q/b"]
    assert line.enlist("r/c", b"", ttl=60, behind="r/", most=1)


def test_enlist_again_makes_no_difference(line):
    """Who asks a second time, since the answer was lost, is told what it was told before."""
    line.enlist("q/0", b"", ttl=60, behind="q/")
    first = line.enlist("q/a", b"me", ttl=60, behind="q/", most=2)
    line.enlist("q/1", b"", ttl=60, behind="q/")
    before = line.list("").revision
    assert line.enlist("q/a", b"me", ttl=60, behind="q/", most=2) == first
    assert line.list("").revision == before


def test_enlist_takes_nobody_elses_key(line):
    """A key with another value, or one that stays, is a conflict and is not touched."""
    line.put("q/a", b"me")
    line.enlist("q/b", b"you", ttl=60)
    for key in ("q/a", "q/b"):
        with pytest.raises(Conflict) as refused:
            line.enlist(key, b"me", ttl=60)
        assert str(refused.value) == (
            f"there is a key {key!r} of somebody else; nothing was changed: choose another key"
        )
    assert [found.value for found in line.list("q/").entries] == [b"me", b"you"]


def test_a_change_is_waited_for(kv):
    """At once when there is one after the revision, also when that is no longer kept; else not before the time."""
    first = kv.put("a/1", b"1")
    assert kv.wait_for_change("a/", after=first, timeout=0.05) is False
    second = kv.put("a/1", b"2")
    kv.put("b", b"1")
    assert kv.wait_for_change("a/", after=first, timeout=60) is True
    assert kv.wait_for_change("a/", after=second, timeout=0) is False
    assert kv.wait_for_change("a/", after=10_000_000_000_000_000 // 2, timeout=60) is True


def test_the_end_of_a_lease_is_a_change_that_is_waited_for(kv, backend):
    """Nobody else need touch the engine."""
    enlisted = kv.enlist("a/1", b"1", ttl=backend.short)
    assert kv.wait_for_change("a/", after=enlisted.revision, timeout=60) is True
    assert kv.get("a/1") is None


def test_a_watch_from_a_list_misses_nothing(kv):
    """Changes after the list's revision come once, in order."""
    kv.put("a/1", b"1")
    listing = kv.list("a/")
    second = kv.put("a/2", b"2")
    kv.put("b/1", b"other prefix")
    third = kv.put("a/1", b"3")
    gone = kv.delete("a/2").revision
    watch = kv.watch("a/", after=listing.revision)
    assert [watch.poll() for _ in range(3)] == [
        Put("a/2", b"2", second), Put("a/1", b"3", third), Deleted("a/2", gone),
    ]  # fmt: skip
    fourth = kv.put("a/4", b"4")
    assert watch.poll() == Put("a/4", b"4", fourth)
    assert watch.revision == fourth
    watch.close()


def test_a_watch_far_behind_catches_up_change_by_change(kv):
    """However many changes there are, as long as they are kept."""
    watch = kv.watch(after=0)
    revisions = [kv.put(f"k{number % 7}", b"%d" % number) for number in range(1_200)]
    seen = [watch.poll() for _ in revisions]
    assert [(event.value, event.revision) for event in seen] == [
        (b"%d" % number, revision) for number, revision in enumerate(revisions)
    ]
    watch.close()


def test_a_watch_from_nowhere_begins_with_the_whole_state(kv):
    """Its first event is a Resync that lists; the next is a change."""
    kv.put("a", b"1")
    watch = kv.watch()
    first = watch.poll()
    assert isinstance(first, Resync)
    assert (first.entries, first.reason) == (kv.list().entries, "the watch begins")
    gone = kv.delete("a").revision
    assert watch.poll() == Deleted("a", gone)
    watch.close()


def test_an_idle_watch_says_so(kv):
    """Without changes it answers None within the heartbeat, and goes on afterwards."""
    revision = kv.put("b", b"1")
    watch = kv.watch("a", after=revision, heartbeat=0.1)
    assert watch.poll() is None
    assert watch.poll() is None
    put = kv.put("a", b"1")
    assert watch.poll() == Put("a", b"1", put)
    watch.close()


def test_a_watch_sees_a_lease_end(kv, backend):
    """Nobody else need touch the engine for the change to come."""
    lease = kv.grant(backend.short)
    put = kv.put("mine", b"1", lease=lease)
    watch = kv.watch(after=put, heartbeat=10 * backend.short)
    event = watch.poll()
    assert isinstance(event, Deleted)
    assert event.key == "mine"
    assert event.revision > put
    watch.close()


def test_a_closed_watch_is_an_error(kv):
    """It does not begin again by itself."""
    watch = kv.watch()
    watch.close()
    with pytest.raises(ConfigError, match=r"^this watch is closed; make another one from its revision$"):
        watch.poll()


def test_history_that_is_no_longer_kept_becomes_a_resync(backend, namespace, runner):
    """A watch that comes too late gets the whole state and the reason, and then goes on."""
    if backend.history_option is None:
        pytest.skip(f"{backend.name} has no option for the length of its history")
    with backend.open(**{backend.history_option: 3}) as engine:
        kv = Faced(engine.key_value(namespace), runner)
        first = kv.put("a", b"0")
        watch = kv.watch(after=first)
        for number in range(5):
            last = kv.put("a", b"%d" % number)
        event = watch.poll()
        assert isinstance(event, Resync)
        assert [(entry.value, entry.revision) for entry in event.entries] == [(b"4", last)]
        assert event.revision == last
        assert event.reason.startswith(f"changes after revision {first} are no longer kept: ")
        put = kv.put("b", b"1")
        assert watch.poll() == Put("b", b"1", put)
        watch.close()


def test_a_revision_of_another_life_becomes_a_resync(kv):
    """A watch from a revision that has not been reached (an older backup was restored) does not wait for it."""
    kv.put("a", b"1")
    watch = kv.watch(after=(1 << 53) - 1)
    event = watch.poll()
    assert isinstance(event, Resync)
    assert [entry.key for entry in event.entries] == ["a"]
    watch.close()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda kv: kv.get(""), "key must be 1 to 512 bytes in UTF-8, got 0"),
        (lambda kv: kv.get("é" * 257), "key must be 1 to 512 bytes in UTF-8, got 514"),
        (lambda kv: kv.get("a\nb"), r"key must be without control characters, got 'a\nb'"),
        (lambda kv: kv.get(b"a"), "key must be text, got b'a'"),
        (lambda kv: kv.put("a", "b"), "value must be bytes, got str; encode it first"),
        (
            lambda kv: kv.put("a", b"x" * 1_000_001),
            "value must be at most 1,000,000 bytes, got 1,000,001; keep large things elsewhere and their address here",
        ),
        (
            lambda kv: kv.compare_and_set("a", b"", -1),
            "revision must be a whole number from 0 to 9,007,199,254,740,991, got -1",
        ),
        (lambda kv: kv.grant(0), "ttl must be 0.1 to 86,400 s, got 0"),
        (lambda kv: kv.enlist("a", b"", ttl=0.01), "ttl must be 0.1 to 86,400 s, got 0.01"),
        (
            lambda kv: kv.enlist("a", b"", ttl=1, most=0),
            "most must be a whole number from 1 to 1,000,000, got 0",
        ),
        (lambda kv: kv.wait_for_change("a", after=0, timeout=301), "timeout must be 0 to 300 s, got 301"),
        (lambda kv: kv.watch(heartbeat=0.001), "heartbeat must be 0.05 to 300 s, got 0.001"),
    ],
)
def test_what_can_never_work_is_told_before_anything_is_sent(kv, call, message):
    """The message names the argument, the value and the range."""
    with pytest.raises(ConfigError) as refused:
        call(kv)
    assert str(refused.value) == message


def test_another_engine_finds_what_was_acknowledged(backend, kv, engine, namespace):
    """Closing and opening loses nothing, and revisions go on."""
    if not backend.lasting:
        pytest.skip(f"{backend.name} promises none of this")
    revision = kv.put("key", b"1")
    lease = kv.grant(60)
    kv.put("mine", b"1", lease=lease)
    with backend.open() as other:
        again = other.key_value(namespace)
        assert again.get("key").value == b"1"
        assert again.keep_alive(lease) == lease
        assert again.put("key", b"2") > revision


def test_a_closed_engine_refuses(backend, namespace, runner):
    """Every call after close says that it is closed."""
    engine = backend.open()
    kv = Faced(engine.key_value(namespace), runner)
    kv.put("a", b"1")
    Faced(engine, runner).close()
    Faced(engine, runner).close()
    with pytest.raises(ConfigError, match=r" is closed; open another engine$"):
        kv.get("a")
