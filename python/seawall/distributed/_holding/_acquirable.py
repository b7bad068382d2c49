"""What is waited for, had and given back, whatever it is called."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Any, ClassVar, TypeVar, cast

from seawall.distributed._holding._blocks import Blocks, here
from seawall.distributed._holding._held import Held
from seawall.distributed._holding._keeper import keeper_of
from seawall.distributed._holding._line import Patience, Place, Refused, Stand, enter
from seawall.distributed._holding._names import keys_of, owner_of, root_of, ttl_of
from seawall.engines import Consistency, Engine, Entry, KeyValue, Require
from seawall.engines.operation import Op, awaitable, blocking, driver_of
from seawall.errors import ConfigError, DeadlineExceeded, TimeoutExceeded

H = TypeVar("H", bound=Held)
NAMESPACE = "locks"
_LEAST = Require(consistency=Consistency.sequential)
FENCING = Require(consistency=Consistency.sequential, fencing=True)


class Acquirable(Blocks[H], ABC):
    """What one waits for, has, and gives back. First come, first served."""

    what: ClassVar[str] = "lock"
    _least: ClassVar[Require] = _LEAST
    _held_kind: type[Held] = Held

    def __init__(
        self,
        store: Engine | KeyValue,
        name: str,
        *,
        kind: str,
        ttl: float | timedelta,
        renew: bool,
        reentrant: bool,
        owner: str | None,
    ) -> None:
        super().__init__()
        self.name = name
        self.ttl = ttl_of(ttl)
        self.renew = renew
        self.reentrant = reentrant
        self._root = root_of(kind, name)
        self._key_value = keys_of(store, NAMESPACE)
        self._least.insist(self._key_value.guarantees, f"{driver_of(self._key_value).name} as the keeper of {name!r}")
        self._driver = driver_of(self._key_value)
        self._owner = owner_of(owner)
        # Of each task or thread what it holds, the newest last. Only it touches its own.
        self._holds: dict[object, list[H]] = {}

    @abstractmethod
    def _place(self) -> Place:
        """A place in line that nobody else has."""

    def _take(self, place: Place, wait: Patience) -> Op[Stand | Refused]:
        return (yield from enter(self._key_value, place, self._owner, self.ttl, wait))

    def _made(self, place: Place, stand: Stand, who: object) -> H:
        del place
        return cast(
            H,
            self._held_kind(
                self._key_value,
                self.what,
                self.name,
                stand,
                keeper=keeper_of(self._key_value) if self.renew else None,
                on_release=lambda held: self._forget(who, held),
            ),
        )

    def _hold(self, wait: Patience) -> Op[H]:
        who = here()
        if (again := self._again(who)) is not None:
            return again
        place = self._place()
        stand = yield from self._take(place, wait)
        if isinstance(stand, Refused):
            raise self._refusal(stand, wait)
        return self._hand(place, stand, who)

    def _do_try_acquire(self) -> Op[H | None]:
        """Hold it if it is free at once, and nobody waits; else None."""
        who = here()
        if self._waits_for_itself(who):
            return None
        if (again := self._again(who)) is not None:
            return again
        place = self._place()
        stand = yield from self._take(place, Patience(None, now=True))
        return None if isinstance(stand, Refused) else self._hand(place, stand, who)

    def _do_owners(self) -> Op[tuple[str, ...]]:
        """Who holds it and who waits for it, in the order of arrival; by what they gave as `owner`."""
        return tuple(entry.value.decode(errors="replace") for entry in (yield from self._in_line()))

    def _in_line(self) -> Op[list[Entry]]:
        listing = yield from self._key_value._do_list(self._root)
        return sorted(listing.entries, key=lambda entry: entry.revision)

    try_acquire, try_acquire_async = blocking(_do_try_acquire), awaitable(_do_try_acquire)
    owners, owners_async = blocking(_do_owners), awaitable(_do_owners)

    def _again(self, who: object) -> H | None:
        """What this task or thread holds already, once more."""
        if self._other is not None and self._other._holds.get(who):
            raise ConfigError(
                f"{self._other.what} {self.name!r} is held by this {_kind(who)}, and a {self.what} would wait for it; "
                "release it first"
            )
        mine = self._holds.get(who)
        if not mine or not self._excludes_itself:
            return None
        if self._waits_for_itself(who):
            raise ConfigError(
                f"{self.what} {self.name!r} is held by this {_kind(who)} already, "
                "which would wait for itself; release it first, or make the lock with reentrant=True"
            )
        held = mine[-1]
        held.check()
        with held._guard:
            held._depth += 1
        return held

    def _waits_for_itself(self, who: object) -> bool:
        other = self._other is not None and who in self._other._holds
        return other or (who in self._holds and self._excludes_itself and not self.reentrant)

    _excludes_itself: ClassVar[bool] = True
    _other: Acquirable[Any] | None = None
    """Whom a holder of this would wait for in vain."""

    def _hand(self, place: Place, stand: Stand, who: object) -> H:
        held = self._made(place, stand, who)
        self._holds.setdefault(who, []).append(held)
        return held

    def _forget(self, who: object, held: Held) -> None:
        mine = self._holds.get(who)
        if mine is not None:
            mine[:] = [one for one in mine if one is not held]
            if not mine:
                self._holds.pop(who, None)

    def _refusal(self, refused: Refused, wait: Patience) -> Exception:
        ahead = [entry.value.decode(errors="replace") for entry in refused.ahead[:1]]
        by = f": {len(refused.ahead)} ahead, first of them {ahead[0]!r}" if ahead else ""
        if wait.deadline:
            return DeadlineExceeded(
                f"{self.what} {self.name!r} was not free before the deadline{by}", policy=self.name, state="passed"
            )
        return TimeoutExceeded(
            f"{self.what} {self.name!r} was not free within {wait.longest:g} s{by}",
            after=wait.longest,
            policy=self.name,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} on {self._driver.name}, ttl {self.ttl:g} s>"


def _kind(who: object) -> str:
    return "thread" if isinstance(who, threading.Thread) else "task"
