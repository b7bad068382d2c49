"""The port for small state that many read and few change: settings, locks, membership, leaders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from seawall.engines._ports._changes import Batch, Feed
from seawall.engines._ports._checks import name_of, seconds_of, value_of, whole_of
from seawall.engines.operation import Afresh, Op, awaitable, blocking, bounded
from seawall.errors import Compacted, Conflict, Full, LeaseLost

if TYPE_CHECKING:
    from seawall.engines._driver import Driver
    from seawall.engines._guarantees import Guarantees
    from seawall.engines._watch import Watch

ABSENT = 0
"""The revision of a key that is not there: `compare_and_set(key, value, ABSENT)` only creates."""


MOST_LISTED = 1_000_000
_LONGEST_ANSWER = 5.0


class Entry(NamedTuple):
    """A key as it is.

    Attributes:
        revision: Of its last change.
        lease: The lease it vanishes with; None when it stays.
    """

    key: str
    value: bytes
    revision: int
    lease: str | None = None


class Listing(NamedTuple):
    """All keys below a prefix at one revision, in the order of the keys; watch from there and nothing is missed.

    The last change of the namespace may be older than that revision: do not wait until a watch reaches it.
    """

    entries: tuple[Entry, ...]
    revision: int


class Swap(NamedTuple):
    """The answer to a conditional change; true when it was made.

    Attributes:
        done: Whether it was made.
        revision: Of the change when it was made, else the one that was found; 0 when the key is not there.
    """

    done: bool
    revision: int

    def __bool__(self) -> bool:
        return self.done


class Lease(NamedTuple):
    """A promise to be alive: keys bound to it vanish when it is not kept alive for `ttl` seconds.

    Attributes:
        id: Its name in the engine; never used twice.
        ttl: Seconds from a grant or a sign of life to its end.
    """

    id: str
    ttl: float


class Enlisted(NamedTuple):
    """The answer to `enlist`; true when the key is there, with a lease of its own.

    Attributes:
        done: Whether it is there.
        revision: Of its creation; 0 when it was not done.
        lease: The lease it vanishes with; None when it was not done.
        ahead: How many keys below the prefix are older.
    """

    done: bool
    revision: int
    lease: Lease | None
    ahead: int

    def __bool__(self) -> bool:
        return self.done


class KeyValue(ABC):
    """Keys with values, revisions, leases and watches. Made by `Engine.key_value(namespace)`.

    Guarantees: one revision counter per namespace, which grows with every change and is never reused; what else, and
    how firmly, `guarantees` says. A change whose answer was lost raises `UnknownOutcome` and is not sent again. Each
    call ends within the engine's operation timeout, or the Deadline in context if that is sooner.

    Units: seconds. Keys are text of 1 to 512 bytes in UTF-8, values at most a million bytes.

    Thread safety: yes; any number of threads, tasks and loops. Every call has a twin `..._async` for tasks.

    For engines: subclass, and write the operations that are abstract here, as generators that yield `Send`. Arguments
    have been checked. An expired lease must look revoked to every operation, whenever the engine gets to removing it,
    and each key that vanishes with it is a change with a revision of its own.
    """

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        self._driver = driver
        self.namespace = namespace
        self.guarantees = guarantees

    # What an engine writes.

    @abstractmethod
    def _get(self, key: str) -> Op[Entry | None]:
        """The entry, or None."""

    @abstractmethod
    def _put(self, key: str, value: bytes, lease: str | None, expected: int | None) -> Op[Swap]:
        """Write if `expected` is None or the key's revision (ABSENT: not there); raises LeaseLost for a dead lease.

        A key has the lease of its last write; None unbinds it.
        """

    @abstractmethod
    def _delete(self, key: str, expected: int | None) -> Op[Swap]:
        """Delete if `expected` is None or the key's revision; not done, at revision 0, when there is no such key."""

    @abstractmethod
    def _list(self, prefix: str, limit: int) -> Op[Listing]:
        """At most `limit` entries, in the order of Unicode code points of the keys, at one revision."""

    @abstractmethod
    def _grant(self, ttl: float) -> Op[Lease]:
        """A new lease."""

    @abstractmethod
    def _keep_alive(self, lease: str) -> Op[Lease]:
        """From now on the lease has its full time again; raises LeaseLost when it has ended."""

    @abstractmethod
    def _revoke(self, lease: str) -> Op[bool]:
        """End a lease, and its keys with it; False when it had ended."""

    def _enlist(self, key: str, value: bytes, ttl: float, behind: str, most: int | None) -> Op[Enlisted]:
        """Create a key under a new lease, if fewer than `most` keys begin with `behind`; raises Conflict for another's.

        A key that is there already with this value is answered as it is, so that a lost answer may be asked for again.
        Engines that can, do this in one atomic step, and mark it `again=True`. This one, in several, is as safe: what
        is created counts from then on. But it may refuse when another was refused in the same moment.
        """
        lease = yield from self._grant(ttl)
        swap = yield from self._put(key, value, lease.id, ABSENT)
        listing = yield from self._list(behind, MOST_LISTED)
        while listing.revision < swap.revision:  # an engine whose readers may be behind
            listing = yield from self._list(behind, MOST_LISTED)
        older = [entry for entry in listing.entries if entry.key != key]
        if not swap:
            yield from self._revoke(lease.id)
            found = yield from self._get(key)
            if found is None or found.value != value or found.lease is None:
                raise enlisted_by_another(key)
            swap, lease = Swap(True, found.revision), Lease(found.lease, ttl)
        ahead = sum(entry.revision < swap.revision for entry in older)
        if most is not None and ahead >= most:
            yield from self._revoke(lease.id)
            return Enlisted(False, 0, None, ahead)
        return Enlisted(True, swap.revision, lease, ahead)

    @abstractmethod
    def _changes(self, feed: Feed, wait: float) -> Op[Batch]:
        """What has changed below `feed.prefix` after `feed.after`: at once when something has, else after `wait` s.

        May keep a stream open in `feed.handle`. Must answer, empty if need be, soon after `wait`: an answer is the
        proof of life. The answer must come from the engine, not from a client's belief that it is connected.

        Raises:
            Compacted: Some of these changes are no longer kept.
        """

    def _unfollow(self, feed: Feed) -> Op[None]:
        """Close `feed.handle`; after an error, or when the watch ends."""
        feed.handle = None
        yield from ()

    # What callers use.

    def _do_get(self, key: str) -> Op[Entry | None]:
        """The entry of a key, or None."""
        return (yield from self._get(name_of(key, "key")))

    def _do_put(self, key: str, value: bytes, *, lease: Lease | str | None = None) -> Op[int]:
        """Write a key, whatever was there; returns the revision of the change.

        Args:
            key: 1 to 512 bytes.
            value: At most a million bytes.
            lease: The key vanishes with it; None, also for a key that had one: it stays.

        Raises:
            LeaseLost: The lease has ended; nothing was written.
            UnknownOutcome: The answer was lost.
        """
        name, data, bound = name_of(key, "key"), value_of(value, "value"), _lease_id(lease)
        return (yield from self._put(name, data, bound, None)).revision

    def _do_compare_and_set(
        self, key: str, value: bytes, revision: int, *, lease: Lease | str | None = None
    ) -> Op[Swap]:
        """Write a key if it is as it was: at `revision`, or not there for `ABSENT`.

        Raises:
            LeaseLost: The lease has ended; nothing was written.
            UnknownOutcome: The answer was lost.
        """
        name, data, bound = name_of(key, "key"), value_of(value, "value"), _lease_id(lease)
        return (yield from self._put(name, data, bound, whole_of(revision, "revision")))

    def _do_delete(self, key: str, *, revision: int | None = None) -> Op[Swap]:
        """Delete a key, if `revision` is given only at that one; the answer says whether there was anything to delete.

        Raises:
            UnknownOutcome: The answer was lost.
        """
        expected = None if revision is None else whole_of(revision, "revision", least=1)
        return (yield from self._delete(name_of(key, "key"), expected))

    def _do_list(self, prefix: str = "", *, limit: int = 10_000) -> Op[Listing]:
        """All entries whose key begins with `prefix`, at one revision.

        Args:
            prefix: Empty for all.
            limit: The most that may be found, 1 to 1,000,000.

        Raises:
            Full: There are more.
        """
        most = whole_of(limit, "limit", least=1, most=MOST_LISTED)
        found = yield from self._list(name_of(prefix, "prefix", empty=True), most + 1)
        if len(found.entries) > most:
            raise Full(f"more than {most:,} keys begin with {prefix!r}; list a longer prefix or raise limit")
        return found

    def _do_grant(self, ttl: float | timedelta) -> Op[Lease]:
        """A new lease of `ttl` seconds, 0.1 to a day.

        A grant whose answer was lost may be repeated: the other lease ends by itself.
        """
        return (yield from self._grant(seconds_of(ttl, "ttl", least=0.1, most=86_400.0)))

    def _do_keep_alive(self, lease: Lease | str) -> Op[Lease]:
        """A sign of life: the lease has its full time again.

        Raises:
            LeaseLost: It had ended, and its keys with it.
        """
        return (yield from self._keep_alive(_known_lease(lease)))

    def _do_revoke(self, lease: Lease | str) -> Op[bool]:
        """End a lease now, and its keys with it; False when it had ended."""
        return (yield from self._revoke(_known_lease(lease)))

    def _do_enlist(
        self, key: str, value: bytes, *, ttl: float | timedelta, behind: str = "", most: int | None = None
    ) -> Op[Enlisted]:
        """Create a key with a lease of its own, and tell how many keys below a prefix are older: who is first holds.

        Guarantees: with `most`, nothing is created unless fewer than `most` keys begin with `behind`. It makes no
        difference the second time, as long as the key is there: a lost answer may be asked for again.

        Cost: one round trip where the engine can; else that of grant, compare_and_set and list.

        Args:
            key: Nobody else's: choose it by chance. Written once, since its revision is its place.
            value: At most a million bytes.
            ttl: Of the lease, in seconds, 0.1 to a day.
            behind: The prefix below which keys count.
            most: 1 to 1,000,000; None creates the key however many there are.

        Raises:
            Conflict: There is such a key with another value.
            UnknownOutcome: The answer was lost; the key may be there, until its lease ends.
        """
        name, data, prefix = name_of(key, "key"), value_of(value, "value"), name_of(behind, "behind", empty=True)
        seconds = seconds_of(ttl, "ttl", least=0.1, most=86_400.0)
        bound = None if most is None else whole_of(most, "most", least=1, most=MOST_LISTED)
        return (yield from self._enlist(name, data, seconds, prefix, bound))

    def _do_wait_for_change(self, prefix: str, *, after: int, timeout: float | timedelta) -> Op[bool]:
        """Wait until something below a prefix has changed after a revision; False when nothing has in `timeout` s.

        For those who look again anyway: it may say True too often. To follow changes, `watch`.

        Args:
            prefix: Empty for all.
            after: The revision that is known, usually that of a `list`.
            timeout: 0 to 300 s.
        """
        feed = Feed(name_of(prefix, "prefix", empty=True), whole_of(after, "after"))
        seconds = seconds_of(timeout, "timeout", least=0.0, most=300.0)
        yield Afresh()
        try:
            return bool((yield from bounded(self._changes(feed, seconds), seconds + _LONGEST_ANSWER)).changes)
        except Compacted:
            return True
        finally:
            yield from self._unfollow(feed)

    get, get_async = blocking(_do_get), awaitable(_do_get)
    put, put_async = blocking(_do_put), awaitable(_do_put)
    compare_and_set, compare_and_set_async = blocking(_do_compare_and_set), awaitable(_do_compare_and_set)
    delete, delete_async = blocking(_do_delete), awaitable(_do_delete)
    list, list_async = blocking(_do_list), awaitable(_do_list)
    grant, grant_async = blocking(_do_grant), awaitable(_do_grant)
    keep_alive, keep_alive_async = blocking(_do_keep_alive), awaitable(_do_keep_alive)
    revoke, revoke_async = blocking(_do_revoke), awaitable(_do_revoke)
    enlist, enlist_async = blocking(_do_enlist), awaitable(_do_enlist)
    wait_for_change, wait_for_change_async = blocking(_do_wait_for_change), awaitable(_do_wait_for_change)

    def watch(self, prefix: str = "", *, after: int | None = None, heartbeat: float | timedelta = 5.0) -> Watch:
        """Follow all changes below a prefix: `with kv.watch("jobs/") as watch: for event in watch: ...`, or async.

        Guarantees: every change after `after` is told once, in order, or a `Resync` with the whole state says that
        some were missed, or an error ends the watch. Silence is not taken for idleness: the engine has to answer
        within `heartbeat`, else the watch reconnects and resumes, and raises `Unavailable` when that fails for as long
        as the engine's operation timeout.

        Args:
            prefix: Empty for all.
            after: Follow from this revision, usually that of a `list`; None begins with a `Resync` that lists.
            heartbeat: The longest silence, in seconds, 0.05 to 300.
        """
        from seawall.engines._watch import Watch

        start = None if after is None else whole_of(after, "after")
        longest = seconds_of(heartbeat, "heartbeat", least=0.05, most=300.0)
        return Watch(self, name_of(prefix, "prefix", empty=True), start, longest)


def _lease_id(lease: Lease | str | None) -> str | None:
    return None if lease is None else _known_lease(lease)


def _known_lease(lease: Lease | str) -> str:
    return name_of(lease.id if isinstance(lease, Lease) else lease, "lease")


def lease_lost(lease: str) -> LeaseLost:
    """The error of a lease that has ended."""
    return LeaseLost(
        f"lease {lease} has ended, and its keys with it; stop what it protected, then grant another and write again"
    )


def enlisted_by_another(key: str) -> Conflict:
    """The error of `enlist` for a key that is there with another value."""
    return Conflict(f"there is a key {key!r} of somebody else; nothing was changed: choose another key", expected=0)
