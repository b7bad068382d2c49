"""Keys and values in dictionaries."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Batch, Change, Deleted, Enlisted, Entry, Feed, KeyValue, Lease, Listing, Put, Swap
from seawall.engines._ports._key_value import enlisted_by_another, lease_lost
from seawall.engines.memory._wire import Follow
from seawall.engines.operation import Op, Send
from seawall.errors import Compacted


@dataclass(slots=True)
class _Granted:
    ttl_ns: int
    ends_ns: int
    keys: set[str] = field(default_factory=set)


class KeyValueState:
    """One namespace. Every method is one step at `now`, in nanoseconds, and called under the wire's lock."""

    def __init__(self, history: int, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._most = history
        self._entries: dict[str, Entry] = {}
        self._leases: dict[str, _Granted] = {}
        self._ends: list[tuple[int, str]] = []
        self._granted = 0
        self._history: deque[Change] = deque()
        self._told_from = 0
        self.revision = 0

    def get(self, key: str, now: int) -> Entry | None:
        """The entry of a key."""
        self._expire(now)
        return self._entries.get(key)

    def put(self, key: str, value: bytes, lease: str | None, expected: int | None, now: int) -> Swap:
        """Write, on condition."""
        self._expire(now)
        if lease is not None and lease not in self._leases:
            raise lease_lost(lease)
        found = self._entries.get(key)
        revision = 0 if found is None else found.revision
        if expected is not None and expected != revision:
            return Swap(False, revision)
        self._unbind(found)
        self._record(Put(key, value, self.revision + 1))
        self._entries[key] = Entry(key, value, self.revision, lease)
        if lease is not None:
            self._leases[lease].keys.add(key)
        return Swap(True, self.revision)

    def delete(self, key: str, expected: int | None, now: int) -> Swap:
        """Delete, on condition."""
        self._expire(now)
        found = self._entries.get(key)
        if found is None:
            return Swap(False, 0)
        if expected is not None and expected != found.revision:
            return Swap(False, found.revision)
        self._remove(key)
        return Swap(True, self.revision)

    def list(self, prefix: str, limit: int, now: int) -> Listing:
        """Entries below a prefix."""
        self._expire(now)
        keys = sorted(key for key in self._entries if key.startswith(prefix))[:limit]
        return Listing(tuple(self._entries[key] for key in keys), self.revision)

    def grant(self, ttl: float, now: int) -> Lease:
        """A new lease."""
        self._granted += 1
        name, ttl_ns = str(self._granted), round(ttl * 1e9)
        self._leases[name] = _Granted(ttl_ns, now + ttl_ns)
        heapq.heappush(self._ends, (now + ttl_ns, name))
        return Lease(name, ttl)

    def enlist(  # noqa: PLR0917 -- run by position under the lock
        self, key: str, value: bytes, ttl: float, behind: str, most: int | None, now: int
    ) -> Enlisted:
        """Create under a new lease, on condition."""
        self._expire(now)
        found = self._entries.get(key)
        if found is not None and (found.value != value or found.lease is None):
            raise enlisted_by_another(key)
        others = [entry.revision for entry in self._entries.values() if entry.key.startswith(behind)]
        if found is not None:
            assert found.lease is not None
            return Enlisted(
                True, found.revision, Lease(found.lease, ttl), sum(other < found.revision for other in others)
            )
        if most is not None and len(others) >= most:
            return Enlisted(False, 0, None, len(others))
        lease = self.grant(ttl, now)
        return Enlisted(True, self.put(key, value, lease.id, 0, now).revision, lease, len(others))

    def keep_alive(self, lease: str, now: int) -> Lease:
        """Full time again."""
        self._expire(now)
        granted = self._leases.get(lease)
        if granted is None:
            raise lease_lost(lease)
        granted.ends_ns = now + granted.ttl_ns
        return Lease(lease, granted.ttl_ns / 1e9)

    def revoke(self, lease: str, now: int) -> bool:
        """End a lease."""
        self._expire(now)
        return self._end(lease)

    def changes(self, prefix: str, after: int, now: int) -> Batch:
        """What has changed since."""
        self._expire(now)
        if not self._told_from <= after <= self.revision:
            raise Compacted(
                f"changes are kept after revision {self._told_from} up to {self.revision}, asked after {after}",
                oldest=self._told_from,
            )
        found = (change for change in self._history if change.revision > after and change.key.startswith(prefix))
        return Batch(tuple(found), self.revision)

    def next_end(self) -> int | None:
        """When the next lease may end."""
        return self._ends[0][0] if self._ends else None

    def _expire(self, now: int) -> None:
        while self._ends and self._ends[0][0] <= now:
            name = heapq.heappop(self._ends)[1]
            granted = self._leases.get(name)
            if granted is not None and granted.ends_ns > now:
                heapq.heappush(self._ends, (granted.ends_ns, name))
            elif granted is not None:
                self._end(name)

    def _end(self, lease: str) -> bool:
        granted = self._leases.pop(lease, None)
        for key in sorted(granted.keys) if granted else ():
            self._remove(key)
        return granted is not None

    def _remove(self, key: str) -> None:
        self._unbind(self._entries.pop(key))
        self._record(Deleted(key, self.revision + 1))

    def _unbind(self, entry: Entry | None) -> None:
        if entry is not None and entry.lease is not None and entry.lease in self._leases:
            self._leases[entry.lease].keys.discard(entry.key)

    def _record(self, change: Change) -> None:
        self.revision = change.revision
        self._history.append(change)
        while len(self._history) > self._most:
            self._told_from = self._history.popleft().revision
        self._changed()


class MemoryKeyValue(KeyValue):
    """The port over one namespace."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, state: KeyValueState) -> None:
        super().__init__(driver, namespace, guarantees)
        self._state = state

    def _get(self, key: str) -> Op[Entry | None]:
        found: Entry | None = yield Send(partial(self._state.get, key))
        return found

    def _put(self, key: str, value: bytes, lease: str | None, expected: int | None) -> Op[Swap]:
        swap: Swap = yield Send(partial(self._state.put, key, value, lease, expected))
        return swap

    def _delete(self, key: str, expected: int | None) -> Op[Swap]:
        swap: Swap = yield Send(partial(self._state.delete, key, expected))
        return swap

    def _list(self, prefix: str, limit: int) -> Op[Listing]:
        listing: Listing = yield Send(partial(self._state.list, prefix, limit))
        return listing

    def _grant(self, ttl: float) -> Op[Lease]:
        lease: Lease = yield Send(partial(self._state.grant, ttl))
        return lease

    def _enlist(self, key: str, value: bytes, ttl: float, behind: str, most: int | None) -> Op[Enlisted]:
        enlisted: Enlisted = yield Send(partial(self._state.enlist, key, value, ttl, behind, most), again=True)
        return enlisted

    def _keep_alive(self, lease: str) -> Op[Lease]:
        kept: Lease = yield Send(partial(self._state.keep_alive, lease))
        return kept

    def _revoke(self, lease: str) -> Op[bool]:
        ended: bool = yield Send(partial(self._state.revoke, lease))
        return ended

    def _changes(self, feed: Feed, wait: float) -> Op[Batch]:
        ask = partial(self._state.changes, feed.prefix, feed.after)
        batch: Batch = yield Send(Follow(ask, _has_changes, self._state.next_end, wait), again=True, extra=wait)
        return batch


def _has_changes(batch: Batch) -> bool:
    return bool(batch.changes)
