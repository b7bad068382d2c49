"""At most so many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from seawall.distributed._holding import (
    FENCING,
    Acquirable,
    FencedHeld,
    Patience,
    Place,
    Refused,
    Stand,
    enter,
    fresh,
    leave,
)
from seawall.engines import ABSENT, Engine, KeyValue, Require
from seawall.engines.operation import Afresh, Op
from seawall.errors import ConfigError, LeaseLost, UnknownOutcome

MOST = 10_000


class SemaphorePermit(FencedHeld):
    """One of a semaphore's permits.

    Attributes:
        slot: Its number, from 0: nobody else has it meanwhile.
        token: Greater than that of whoever had this slot before. Fence by slot: SqlFence(f"gpu-{permit.slot}").
    """

    __slots__ = ("slot",)
    slot: int


class Semaphore(Acquirable[SemaphorePermit]):
    """At most `permits` hold it at once, in the order of arrival; each has a slot of its own, and a token for that.

    Guarantees: never more than `permits` by the engine's clock. As with any lease, who is paused for longer goes on
    beside the next: so the tokens of a slot grow, and whatever the slot stands for can refuse an old one.

    Thread safety: yes; a thread or task may hold several.

    Cost: three round trips to acquire, one to release.

    Args:
        store: An engine, or the key_value of one; of an engine it is the namespace "locks".
        name: At most 400 bytes.
        permits: How many, 1 to 10,000; all who use it have to agree.
        ttl: How long a permit is held without a sign of life, in seconds, 0.1 to a day.
        renew: Give signs of life from a thread, as long as it is held.
        owner: What others see of the holder; by default host and process.

    Example:
        >>> from seawall.engines import open_engine
        >>> gpus = Semaphore(open_engine("memory://"), "gpu", 2)
        >>> with gpus as one, gpus as two:
        ...     one.slot, two.slot, gpus.try_acquire()
        (0, 1, None)
    """

    what: ClassVar[str] = "semaphore"
    _least: ClassVar[Require] = FENCING
    _held_kind = SemaphorePermit
    _excludes_itself: ClassVar[bool] = False

    def __init__(
        self,
        store: Engine | KeyValue,
        name: str,
        permits: int,
        *,
        ttl: float | timedelta = 10.0,
        renew: bool = True,
        owner: str | None = None,
    ) -> None:
        if isinstance(permits, bool) or not isinstance(permits, int) or not 1 <= permits <= MOST:
            raise ConfigError(f"permits must be a whole number from 1 to {MOST:,}, got {permits!r}")
        super().__init__(store, name, kind="semaphore", ttl=ttl, renew=renew, reentrant=False, owner=owner)
        self.permits = permits
        self._slots = f"{self._root}s/"
        self._root = f"{self._root}q/"

    def _place(self) -> Place:
        return Place(self._root, self._root + fresh(), self._root, self.permits)

    def _take(self, place: Place, wait: Patience) -> Op[Stand | Refused]:
        while True:
            stand = yield from enter(self._key_value, place, self._owner, self.ttl, wait)
            if isinstance(stand, Refused):
                return stand
            try:
                return (yield from self._slot(place, stand))
            except LeaseLost:
                yield Afresh()
            except GeneratorExit:
                raise
            except BaseException:
                yield from leave(self._key_value, place)
                raise

    def _slot(self, place: Place, stand: Stand) -> Op[Stand]:
        """One that is free: of those who are in, each has one at most, and both vanish with the same lease."""
        mine = place.key.encode()
        while True:
            listing = yield from self._key_value._do_list(self._slots)
            for entry in listing.entries:
                if entry.value == mine:
                    return stand._replace(token=entry.revision, slot=int(entry.key.removeprefix(self._slots)))
            taken = {entry.key for entry in listing.entries}
            slot = next(n for n in range(len(taken) + 1) if f"{self._slots}{n}" not in taken)
            try:
                swap = yield from self._key_value._do_compare_and_set(
                    f"{self._slots}{slot}", mine, ABSENT, lease=stand.lease
                )
            except UnknownOutcome:
                yield Afresh()
                continue
            if swap:
                return stand._replace(token=swap.revision, slot=slot)

    def _made(self, place: Place, stand: Stand, who: object) -> SemaphorePermit:
        permit = super()._made(place, stand, who)
        permit.slot = stand.slot
        return permit

    def __repr__(self) -> str:
        return f"<Semaphore {self.name!r} of {self.permits} on {self._driver.name}, ttl {self.ttl:g} s>"
