"""Streams, claims and inboxes in dictionaries."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Claim, Claimed, Journal, Record, Taken
from seawall.engines._ports._journal import claim_lost, conflict, taken_lost
from seawall.engines.operation import Op, Send


@dataclass(slots=True)
class _Kept:
    data: bytes
    token: int = 0
    attempt: int = 0
    free_ns: int = 0
    held: bool = False


@dataclass(slots=True)
class _Stream:
    records: dict[int, _Kept] = field(default_factory=dict)
    token: int = 0
    ends_ns: int = 0

    @property
    def last(self) -> int:
        return next(reversed(self.records), 0)


class JournalState:
    """One namespace. Every method is one step at `now`, in nanoseconds, and called under the wire's lock."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._position = 0
        self._token = 0
        self._seen: dict[tuple[str, str], int] = {}
        self._forgets: list[tuple[int, tuple[str, str]]] = []

    def append(
        self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None, now: int
    ) -> int:
        """Append all or none."""
        found = self._streams.get(stream) or _Stream()
        if claim is not None and not _is_current(found, claim, now):
            raise claim_lost(claim)
        if expected is not None and expected != found.last:
            raise conflict(stream, expected, found.last)
        self._streams[stream] = found
        for data in records:
            self._position += 1
            found.records[self._position] = _Kept(data)
        return self._position

    def scan(self, stream: str, after: int, limit: int, now: int) -> tuple[Record, ...]:
        """Records after a position."""
        del now
        found = self._streams.get(stream)
        kept = found.records.items() if found else ()
        return tuple(Record(stream, position, each.data) for position, each in kept if position > after)[:limit]

    def last(self, stream: str, now: int) -> int:
        """The last position."""
        del now
        found = self._streams.get(stream)
        return found.last if found else 0

    def streams(self, prefix: str, after: str, limit: int, unclaimed: bool, now: int) -> tuple[str, ...]:
        """Names of streams with records."""
        names = (
            name
            for name, stream in self._streams.items()
            if stream.records and name.startswith(prefix) and name > after and not (unclaimed and stream.ends_ns > now)
        )
        return tuple(sorted(names)[:limit])

    def trim(self, stream: str, through: int, now: int) -> int:
        """Forget records up to a position."""
        found = self._streams.get(stream)
        gone = [position for position in found.records if position <= through] if found else []
        for position in gone:
            self._drop(stream, position, now)
        return len(gone)

    def claim(self, stream: str, owner: str, ttl: float, now: int) -> Claim | None:
        """Claim a stream."""
        found = self._streams.setdefault(stream, _Stream())
        if found.ends_ns > now:
            return None
        self._token += 1
        found.token, found.ends_ns = self._token, now + round(ttl * 1e9)
        return Claim(stream, owner, self._token, ttl)

    def renew(self, claim: Claim, now: int) -> Claim:
        """Full time again."""
        found = self._streams.get(claim.stream)
        if found is None or not _is_current(found, claim, now):
            raise claim_lost(claim)
        found.ends_ns = now + round(claim.ttl * 1e9)
        return claim

    def release(self, claim: Claim, now: int) -> bool:
        """End a claim."""
        found = self._streams.get(claim.stream)
        if found is None or not _is_current(found, claim, now):
            return False
        found.ends_ns = 0
        self._tidy(claim.stream, now)
        return True

    def claim_and_append(  # noqa: PLR0917 -- as the port asks
        self,
        stream: str,
        owner: str,
        ttl: float,
        records: tuple[bytes, ...],
        expected: int | None,
        unless: str | None,
        now: int,
    ) -> Claimed | None:
        """Claim a stream and append to it."""
        found = self._streams.get(stream) or _Stream()
        if found.ends_ns > now:
            return None
        if unless is not None and (last := self.last(unless, now)):
            raise conflict(unless, 0, last)
        position = self.append(stream, records, expected, None, now)
        claim = self.claim(stream, owner, ttl, now)
        return None if claim is None else Claimed(claim, position)

    def conclude(self, claim: Claim, records: tuple[bytes, ...], into: str | None, now: int) -> None:
        """Append, rename, end the claim."""
        found = self._streams.get(claim.stream)
        if found is None or not _is_current(found, claim, now):
            raise claim_lost(claim)
        if into is not None and (last := self.last(into, now)):
            raise conflict(into, 0, last)
        if records:
            self.append(claim.stream, records, None, None, now)
        if into is not None and found.records:
            self._streams.setdefault(into, _Stream()).records, found.records = found.records, {}
        self.release(claim, now)

    def take(self, stream: str, owner: str, ttl: float, limit: int, now: int) -> tuple[Taken, ...]:
        """Take the oldest free records."""
        return tuple(self._taken(stream, owner, ttl, limit, now))

    def _taken(self, stream: str, owner: str, ttl: float, limit: int, now: int) -> Iterator[Taken]:
        found = self._streams.get(stream)
        free = [(p, kept) for p, kept in found.records.items() if kept.free_ns <= now] if found else []
        for position, kept in free[:limit]:
            self._token += 1
            kept.token, kept.free_ns, kept.held = self._token, now + round(ttl * 1e9), True
            kept.attempt += 1
            yield Taken(Record(stream, position, kept.data), owner, kept.token, kept.attempt, ttl)

    def acknowledge(self, taken: Taken, now: int) -> None:
        """Remove a record."""
        if self._held(taken, now) is None:
            raise taken_lost(taken)
        self._drop(taken.record.stream, taken.record.position, now)

    def give_back(self, taken: Taken, delay: float, now: int) -> bool:
        """Let others take it."""
        kept = self._held(taken, now)
        if kept is None:
            return False
        kept.held, kept.free_ns = False, now + round(delay * 1e9)
        return True

    def first_time(self, inbox: str, message: str, window: float, now: int) -> bool:
        """Remember a message."""
        self._forget_old(now)
        key = (inbox, message)
        if key in self._seen:
            return False
        self._seen[key] = now + round(window * 1e9)
        heapq.heappush(self._forgets, (self._seen[key], key))
        return True

    def forget(self, inbox: str, message: str, now: int) -> bool:
        """Forget a message."""
        self._forget_old(now)
        return self._seen.pop((inbox, message), None) is not None

    def _forget_old(self, now: int) -> None:
        while self._forgets and self._forgets[0][0] <= now:
            until, key = heapq.heappop(self._forgets)
            if self._seen.get(key) == until:
                del self._seen[key]

    def _held(self, taken: Taken, now: int) -> _Kept | None:
        found = self._streams.get(taken.record.stream)
        kept = found.records.get(taken.record.position) if found else None
        return kept if kept and kept.held and kept.token == taken.token and kept.free_ns > now else None

    def _drop(self, stream: str, position: int, now: int) -> None:
        del self._streams[stream].records[position]
        self._tidy(stream, now)

    def _tidy(self, stream: str, now: int) -> None:
        found = self._streams[stream]
        if not found.records and found.ends_ns <= now:
            del self._streams[stream]


def _is_current(stream: _Stream, claim: Claim, now: int) -> bool:
    return stream.token == claim.token and stream.ends_ns > now


class MemoryJournal(Journal):
    """The port over one namespace."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, state: JournalState) -> None:
        super().__init__(driver, namespace, guarantees)
        self._state = state

    def _append(self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None) -> Op[int]:
        position: int = yield Send(partial(self._state.append, stream, records, expected, claim))
        return position

    def _scan(self, stream: str, after: int, limit: int) -> Op[tuple[Record, ...]]:
        records: tuple[Record, ...] = yield Send(partial(self._state.scan, stream, after, limit))
        return records

    def _last(self, stream: str) -> Op[int]:
        position: int = yield Send(partial(self._state.last, stream))
        return position

    def _streams(self, prefix: str, after: str, limit: int, unclaimed: bool) -> Op[tuple[str, ...]]:
        names: tuple[str, ...] = yield Send(partial(self._state.streams, prefix, after, limit, unclaimed))
        return names

    def _trim(self, stream: str, through: int) -> Op[int]:
        count: int = yield Send(partial(self._state.trim, stream, through))
        return count

    def _claim(self, stream: str, owner: str, ttl: float) -> Op[Claim | None]:
        claim: Claim | None = yield Send(partial(self._state.claim, stream, owner, ttl))
        return claim

    def _renew(self, claim: Claim) -> Op[Claim]:
        renewed: Claim = yield Send(partial(self._state.renew, claim))
        return renewed

    def _release(self, claim: Claim) -> Op[bool]:
        done: bool = yield Send(partial(self._state.release, claim))
        return done

    def _claim_and_append(  # noqa: PLR0917 -- as the port asks
        self, stream: str, owner: str, ttl: float, records: tuple[bytes, ...], expected: int | None, unless: str | None
    ) -> Op[Claimed | None]:
        step = Send(partial(self._state.claim_and_append, stream, owner, ttl, records, expected, unless))
        claimed: Claimed | None = yield step
        return claimed

    def _conclude(self, claim: Claim, records: tuple[bytes, ...], into: str | None) -> Op[None]:
        yield Send(partial(self._state.conclude, claim, records, into))

    def _take(self, stream: str, owner: str, ttl: float, limit: int) -> Op[tuple[Taken, ...]]:
        taken: tuple[Taken, ...] = yield Send(partial(self._state.take, stream, owner, ttl, limit))
        return taken

    def _acknowledge(self, taken: Taken) -> Op[None]:
        yield Send(partial(self._state.acknowledge, taken))

    def _give_back(self, taken: Taken, delay: float) -> Op[bool]:
        done: bool = yield Send(partial(self._state.give_back, taken, delay))
        return done

    def _first_time(self, inbox: str, message: str, window: float) -> Op[bool]:
        first: bool = yield Send(partial(self._state.first_time, inbox, message, window))
        return first

    def _forget(self, inbox: str, message: str) -> Op[bool]:
        known: bool = yield Send(partial(self._state.forget, inbox, message))
        return known
