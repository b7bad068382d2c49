"""Locks of several processes and machines."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from datetime import timedelta
from types import TracebackType
from typing import ClassVar, Generic, TypeVar, cast

from seawall.clock import to_ns
from seawall.distributed.locks._held import FencedHeld, Held
from seawall.distributed.locks._keeper import keeper_of
from seawall.distributed.locks._line import Patience, Place, Refused, Stand, enter, patience
from seawall.distributed.locks._names import fresh, keys_of, owner_of, root_of, ttl_of
from seawall.engines import Consistency, Engine, Entry, KeyValue, Require
from seawall.engines.operation import Op, awaitable, blocking, driver_of
from seawall.errors import ConfigError, DeadlineExceeded, TimeoutExceeded

H = TypeVar("H", bound=Held)
NAMESPACE = "locks"
_LEAST = Require(consistency=Consistency.sequential)
_LEAST_FENCED = Require(consistency=Consistency.sequential, fencing=True)


def here() -> object:
    """Who runs this: the task, or the thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.current_thread() if task is None else task


class Acquirable(ABC, Generic[H]):
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
        self.name = name
        self.ttl = ttl_of(ttl)
        self.renew = renew
        self.reentrant = reentrant
        self._root = root_of(kind, name)
        self._key_value = keys_of(store, NAMESPACE)
        self._least.insist(self._key_value.guarantees, f"{driver_of(self._key_value).name} as the keeper of {name!r}")
        self._driver = driver_of(self._key_value)
        self._owner = owner_of(owner)
        # Of each task or thread, what it holds and the blocks it is in, the newest last. Only it touches its own.
        self._holds: dict[object, list[H]] = {}
        self._blocks: dict[object, list[H]] = {}

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

    def _do_acquire(self, *, timeout: float | timedelta | None = None) -> Op[H]:
        """Wait until it is held.

        Guarantees: first come, first served. Who dies while waiting or holding is passed over when its lease ends. An
        answer that was lost is asked for again; whatever goes wrong, nothing stays held, at worst until the lease
        ends.

        Args:
            timeout: The longest time to wait, in seconds; None waits until the Deadline in force, if any.

        Raises:
            TimeoutExceeded: Others held it for all of that time.
            DeadlineExceeded: Until the caller's Deadline.
            ConfigError: This task or thread holds it already, and it is not re-entrant.
            EngineError: The engine cannot be used.
        """
        who = here()
        if (again := self._again(who)) is not None:
            return again
        longest = None if timeout is None else to_ns(timeout, "timeout", least_ns=0) / 1e9
        wait = patience(self._driver.clock, longest)
        place = self._place()
        stand = yield from self._take(place, wait)
        if isinstance(stand, Refused):
            raise self._refusal(stand, wait, longest)
        return self._hand(place, stand, who)

    def _do_try_acquire(self) -> Op[H | None]:
        """Hold it if it is free at once, and nobody waits; else None."""
        who = here()
        if self._holds.get(who) and not self.reentrant:
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

    acquire, acquire_async = blocking(_do_acquire), awaitable(_do_acquire)
    try_acquire, try_acquire_async = blocking(_do_try_acquire), awaitable(_do_try_acquire)
    owners, owners_async = blocking(_do_owners), awaitable(_do_owners)

    def _again(self, who: object) -> H | None:
        """What this task or thread holds already, once more."""
        mine = self._holds.get(who)
        if not mine or not self._excludes_itself:
            return None
        if not self.reentrant:
            by = "thread" if isinstance(who, threading.Thread) else "task"
            raise ConfigError(
                f"{self.what} {self.name!r} is held by this {by} already, "
                "which would wait for itself; release it first, or make the lock with reentrant=True"
            )
        held = mine[-1]
        held.check()
        with held._guard:
            held._depth += 1
        return held

    _excludes_itself: ClassVar[bool] = True

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

    def _refusal(self, refused: Refused, wait: Patience, timeout: float | None) -> Exception:
        ahead = [entry.value.decode(errors="replace") for entry in refused.ahead[:1]]
        by = f": {len(refused.ahead)} ahead, first of them {ahead[0]!r}" if ahead else ""
        if wait.deadline:
            return DeadlineExceeded(
                f"{self.what} {self.name!r} was not free before the deadline{by}", policy=self.name, state="passed"
            )
        return TimeoutExceeded(
            f"{self.what} {self.name!r} was not free within {timeout:g} s{by}", after=timeout, policy=self.name
        )

    def __enter__(self) -> H:
        held = self.acquire()
        try:
            held.__enter__()
        except BaseException:
            held.release()
            raise
        return self._entered(held)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left().__exit__(kind, error, trace)

    async def __aenter__(self) -> H:
        held = await self.acquire_async()
        try:
            await held.__aenter__()
        except BaseException:
            await held.release_async()
            raise
        return self._entered(held)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._left().__aexit__(kind, error, trace)

    def _entered(self, held: H) -> H:
        self._blocks.setdefault(here(), []).append(held)
        return held

    def _left(self) -> H:
        who = here()
        held = self._blocks[who].pop()
        if not self._blocks[who]:
            del self._blocks[who]
        return held

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} on {self._driver.name}, ttl {self.ttl:g} s>"


class EfficiencyLock(Acquirable[Held]):
    """Keeps two from doing the same work at the same time, most of the time: it has no token and fences nothing.

    A holder that is paused for longer than its lease goes on beside the next one, and nothing stops its writes. Take it
    where that costs only work, such as a cache that is filled twice; else take a `FencedLock`. It stands in the same
    line as the FencedLock of that name.

    Args:
        store: An engine, or the key_value of one; of an engine it is the namespace "locks".
        name: What is locked: at most 400 bytes.
        ttl: How long it is held without a sign of life, in seconds, 0.1 to a day.
        renew: Give signs of life from a thread, as long as it is held; else the holder calls `renew`.
        reentrant: A task or thread that holds it may acquire it again, and releases it as often.
        owner: What others see of the holder; by default host and process.
    """

    def __init__(
        self,
        store: Engine | KeyValue,
        name: str,
        *,
        ttl: float | timedelta = 10.0,
        renew: bool = True,
        reentrant: bool = False,
        owner: str | None = None,
    ) -> None:
        super().__init__(store, name, kind="lock", ttl=ttl, renew=renew, reentrant=reentrant, owner=owner)

    def _place(self) -> Place:
        return Place(self._root, self._root + fresh(), self._root)


class FencedLock(Acquirable[FencedHeld]):
    """A lock that several processes and machines share, with a token that fences off whoever held it before.

    Guarantees: one holder at a time by the engine's clock, in the order of arrival. No lock with a lease can promise
    more, as a holder may be paused beyond its lease without knowing; so each holder has a `token`, greater than all
    before, and what it protects refuses a token once it has seen a greater one (`SqlFence`, `RedisFence`,
    `FencedKeyValue`).

    Thread safety: yes; one object serves any number of threads, tasks and loops, each of which holds for itself.

    Cost: a round trip to acquire when it is free, and one to release.

    Args:
        store: An engine, or the key_value of one; of an engine it is the namespace "locks". Tokens grow within it.
        name: What is locked: at most 400 bytes.
        ttl: How long it is held without a sign of life, in seconds, 0.1 to a day.
        renew: Give signs of life from a thread, as long as it is held, also while an event loop is blocked; else the
            holder calls `renew`.
        reentrant: A task or thread that holds it may acquire it again, and releases it as often.
        owner: What others see of the holder; by default host and process.

    Source: Kleppmann, "How to do distributed locking" (2016); the line is that of etcd's concurrency package.

    Example:
        >>> from seawall.engines import open_engine
        >>> lock = FencedLock(open_engine("memory://"), "orders/42")
        >>> with lock as held:
        ...     held.check(at_least=5)
        ...     held.token
        1
    """

    _least = _LEAST_FENCED
    _held_kind = FencedHeld

    def __init__(
        self,
        store: Engine | KeyValue,
        name: str,
        *,
        ttl: float | timedelta = 10.0,
        renew: bool = True,
        reentrant: bool = False,
        owner: str | None = None,
    ) -> None:
        super().__init__(store, name, kind="lock", ttl=ttl, renew=renew, reentrant=reentrant, owner=owner)

    def _place(self) -> Place:
        return Place(self._root, self._root + fresh(), self._root)
