"""Standing in line: whose key is older comes first. Pure decisions, and the operations around them.

Each who wants in creates a key of its own with a lease of its own (`enlist`). The revision of that key is its place in
line and its token, so holders come in the order of their tokens. Who is ahead can only vanish, never come: once first,
always first, until the lease ends. Whoever dies in line vanishes with its lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from seawall.clock import Clock, Deadline, to_ns
from seawall.engines import Enlisted, Entry, KeyValue, Lease
from seawall.engines.operation import Afresh, Op, Regardless, Wait, bounded, driver_of
from seawall.errors import DeadlineExceeded, EngineError, LeaseLost, Unavailable, UnknownOutcome

RENEW_PART = 3
_ASKED = 3
_WATCHING = 8
_POLL = 0.25
_SHORTEST = 0.001
_LONGEST_WATCH = 300.0
_MOST = 100_000
_GIVE_BACK = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """How one stands in line.

    Args:
        root: All keys of the lock are below.
        key: One's own.
        behind: Older keys below this prefix are ahead.
        room: One is in when fewer than this are ahead.
    """

    root: str
    key: str
    behind: str
    room: int = 1

    def ahead(self, entries: Sequence[Entry], revision: int) -> list[Entry]:
        """Who is ahead of `revision`, the oldest first."""
        older = [entry for entry in entries if entry.key.startswith(self.behind) and entry.revision < revision]
        return sorted(older, key=lambda entry: entry.revision)

    def concerns(self, ahead: Sequence[Entry]) -> str:
        """The prefix whose changes can let one in: where one at a time is in, only that of the next ahead."""
        return ahead[-1].key if self.room == 1 else self.root


class Stand(NamedTuple):
    """A place that was taken.

    Attributes:
        lease: It is there as long as this.
        token: The revision of its creation.
        since_ns: Before the grant or the last sign of life was sent: from then on the lease has its time at least.
        slot: Which of several permits it is.
    """

    lease: Lease
    token: int
    since_ns: int
    slot: int = 0

    @property
    def ends_ns(self) -> int:
        """Until when one may count on it."""
        return self.since_ns + round(self.lease.ttl * 1e9)

    @property
    def renew_ns(self) -> int:
        """When the next sign of life is due."""
        return self.since_ns + round(self.lease.ttl * 1e9 / RENEW_PART)


class Refused(NamedTuple):
    """Others were ahead for all of the time given; the oldest first where that is known."""

    ahead: tuple[Entry, ...]


class Patience(NamedTuple):
    """How long one waits.

    Attributes:
        until_ns: None for ever.
        now: Do not stand in line at all.
        deadline: Whether the caller's Deadline ends it.
        longest: The timeout in seconds.
    """

    until_ns: int | None
    now: bool = False
    deadline: bool = False
    longest: float = 0.0


def patience(clock: Clock, timeout: float | timedelta | None) -> Patience:
    """The timeout, or the Deadline in force if that is sooner."""
    now = clock.now_ns()
    longest = None if timeout is None else to_ns(timeout, "timeout", least_ns=0)
    deadline = Deadline.current()
    if deadline is not None:
        left = round(deadline.remaining() * 1e9)
        if longest is None or left < longest:
            return Patience(now + left, deadline=True)
    if longest is None:
        return Patience(None)
    return Patience(now + longest, longest == 0, longest=longest / 1e9)


def enter(key_value: KeyValue, place: Place, owner: bytes, ttl: float, wait: Patience) -> Op[Stand | Refused]:
    """Stand in line until one is in, or as long as patience lasts; whatever goes wrong, leave the line."""
    try:
        stand, ahead = yield from _enlist(key_value, place, owner, ttl, place.room if wait.now else None)
        if stand is None:
            return Refused(())
        if ahead < place.room:
            return stand
        found = yield from _wait(key_value, place, owner, stand, wait)
        if isinstance(found, Refused):
            yield from leave(key_value, place)
    except GeneratorExit:
        raise
    except BaseException:
        yield from leave(key_value, place)
        raise
    return found


def leave(key_value: KeyValue, place: Place) -> Op[None]:
    """Remove one's key, however it came there; where the engine cannot be asked, its lease does it."""
    yield Regardless(_GIVE_BACK)
    with suppress(EngineError):
        yield from bounded(key_value._do_delete(place.key), _GIVE_BACK)


def _enlist(
    key_value: KeyValue, place: Place, owner: bytes, ttl: float, most: int | None
) -> Op[tuple[Stand | None, int]]:
    """Create one's key; a lost answer is asked for again, and the key is there once whichever was first."""
    since = driver_of(key_value).clock.now_ns()
    for tries_left in reversed(range(_ASKED)):
        try:
            got: Enlisted = yield from key_value._do_enlist(place.key, owner, ttl=ttl, behind=place.behind, most=most)
        except UnknownOutcome:
            if not tries_left:
                raise
        else:
            return (None if got.lease is None else Stand(got.lease, got.revision, since)), got.ahead
    raise AssertionError("unreachable")


def _wait(key_value: KeyValue, place: Place, owner: bytes, stand: Stand, wait: Patience) -> Op[Stand | Refused]:
    clock = driver_of(key_value).clock
    while True:
        yield Afresh()
        listing = yield from key_value._do_list(place.root, limit=_MOST)
        if not any(entry.key == place.key for entry in listing.entries):
            # Paused for longer than the lease: back in line, at its end.
            again, count = yield from _enlist(key_value, place, owner, stand.lease.ttl, None)
            assert again is not None
            stand = again
            if count < place.room:
                return stand
            continue
        ahead = place.ahead(listing.entries, stand.token)
        if stand.renew_ns <= clock.now_ns():
            kept = yield from _kept(key_value, stand)
            if kept is None:
                continue
            stand = kept
        if len(ahead) < place.room:
            return stand
        if wait.until_ns is not None and wait.until_ns <= clock.now_ns():
            return Refused(tuple(ahead))
        until = stand.renew_ns if wait.until_ns is None else min(stand.renew_ns, wait.until_ns)
        pause = max(_SHORTEST, (until - clock.now_ns()) / 1e9)
        yield from _pause(key_value, place, ahead, listing.revision, pause)


def _kept(key_value: KeyValue, stand: Stand) -> Op[Stand | None]:
    since = driver_of(key_value).clock.now_ns()
    try:
        lease = yield from key_value._do_keep_alive(stand.lease)
    except LeaseLost:
        return None
    return stand._replace(lease=lease, since_ns=since)


def _pause(key_value: KeyValue, place: Place, ahead: list[Entry], revision: int, seconds: float) -> Op[None]:
    # Far back nobody need know at once: a watch may cost the engine a connection.
    if len(ahead) - place.room >= _WATCHING:
        yield Wait(min(seconds, _POLL))
        return
    watched = min(seconds, _LONGEST_WATCH)
    try:
        yield from key_value._do_wait_for_change(place.concerns(ahead), after=revision, timeout=watched)
    except DeadlineExceeded:
        raise
    except (Unavailable, UnknownOutcome):
        # The list that follows is tried again for an operation timeout, and says so when that was in vain.
        pass
