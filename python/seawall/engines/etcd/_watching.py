"""What a watch stream says, and which numbers its changes get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from seawall.engines._ports import Batch, Change, Deleted, Feed, Put
from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._errors import refused
from seawall.engines.etcd._link import Call, Link
from seawall.errors import Compacted

STRIDE = 1024
"""Our revisions for each of etcd's: the keys of a lease vanish in one of etcd's, and each has a revision of its own."""

_ORDERED: dict[tuple[int, ...], tuple[int, ...]] = {(3, 4): (3, 4, 25), (3, 5): (3, 5, 8)}


@dataclass(frozen=True, slots=True)
class Follow:
    """Ask what has changed below a prefix.

    Args:
        feed: Where the watch stands.
        first: The first key, in etcd.
        end: The key after the last.
        skip: How many bytes come before our own keys.
        wait: Seconds to wait for changes.
    """

    feed: Feed
    first: bytes
    end: bytes
    skip: int
    wait: float


def is_ordered(version: str) -> bool:
    """Whether a progress note never overtakes changes; in older ones it may, and would lose them."""
    return is_mended(version, _ORDERED)


def is_mended(version: str, since: Mapping[tuple[int, ...], tuple[int, ...]]) -> bool:
    """Whether a version has what each of its lines has `since` then, and all have from 3.6 on."""
    found = version_of(version)
    return found >= since.get(found[:2], (3, 6, 0))


def version_of(text: str) -> tuple[int, ...]:
    """A version as numbers: (3, 5, 1)."""
    return tuple(int(part) if part.isdecimal() else 0 for part in text.partition("-")[0].split(".")[:3])


def starts(after: int, newest: int) -> tuple[int, ...]:
    """From which revisions of etcd to follow, to miss nothing after one of ours; the first that begins at once.

    From the next one only when nothing newer is to be read: a compaction up to exactly that one takes a deletion with
    it and is not told. From the last one that was told such a compaction is told.
    """
    last = -(-after // STRIDE)
    behind = max(1, last)
    return (last + 1, behind) if after == last * STRIDE == newest * STRIDE else (behind,)


def numbered(events: Iterable[Any], skip: int) -> list[Change]:
    """The changes with revisions of ours: the last of one revision of etcd has the highest.

    Raises:
        Compacted: More vanished at once than can be told one by one.
    """
    found: list[Change] = []
    for revision, group in groupby(events, key=lambda event: event.kv.mod_revision):
        together = list(group)
        if len(together) > STRIDE:
            raise Compacted(f"{len(together):,} keys vanished at once, more than are told one by one")
        found += (
            _change(event, skip, revision * STRIDE - left)
            for event, left in zip(together, reversed(range(len(together))), strict=True)
        )
    return found


def _change(event: Any, skip: int, revision: int) -> Change:
    key = event.kv.key[skip:].decode()
    return Deleted(key, revision) if event.type == m.DELETE else Put(key, event.kv.value, revision)


class Watching:
    """One watch stream, as the handle of a feed.

    Attributes:
        call: The stream, once it is begun.
        created: The server follows.
        newest: The server's revision when it began to.
    """

    def __init__(self) -> None:
        self.call: Call | None = None
        self.created = False
        self.newest = 0
        self._ordered: bool | None = None
        self._told = 0
        self._skip = 0
        self._changes: list[Change] = []

    def learn(self, version: str) -> None:
        """Take note of the server's version."""
        self._ordered = is_ordered(version)

    def begin(self, call: Call, what: Follow) -> None:
        """A stream has been asked for."""
        self.call, self.created, self._told, self._skip = call, False, what.feed.after, what.skip
        self._changes.clear()

    def follows(self, what: Follow) -> bool:
        """Whether the stream goes on where the watch stands, and not where it stood before an answer was dropped."""
        return self.call is not None and self._told == what.feed.after

    def read(self, name: str) -> bool:
        """Take in what has come; whether there are changes.

        Raises:
            Compacted: The server no longer has all changes.
            EngineError: It has ended the watch.
        """
        call = self.call
        while call is not None and call.messages:
            self._take(m.Followed.FromString(call.messages.popleft()), name)
        if call is not None and call.ended:
            raise refused(call.status or 0, call.text or "the watch was cut off", name)
        return bool(self._changes)

    def _take(self, said: Any, name: str) -> None:
        if said.compact_revision:
            oldest = said.compact_revision * STRIDE
            raise Compacted(f"the server has compacted up to revision {oldest}", oldest=oldest)
        if said.canceled:
            raise refused(0, said.cancel_reason or "the watch was canceled", name)
        if said.created:
            self.created, self.newest = True, said.header.revision
        elif said.events:
            self._changes += (each for each in numbered(said.events, self._skip) if each.revision > self._told)
        elif self._ordered and not self._changes:
            self._told = max(self._told, said.header.revision * STRIDE)

    def ask_progress(self, link: Link) -> None:
        """Have the server say how far it has told everything, for the next answer; where it may be believed."""
        if self._ordered and self.call is not None:
            link.say(self.call, m.Follow(progress=m.Progress()).SerializeToString())

    def batch(self) -> Batch:
        """What has come since the last one."""
        changes = tuple(self._changes)
        self._changes.clear()
        if changes:
            self._told = changes[-1].revision
        return Batch(changes, self._told)
