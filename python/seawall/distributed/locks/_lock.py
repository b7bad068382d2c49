"""Locks of several processes and machines."""

from __future__ import annotations

from datetime import timedelta

from seawall.distributed._holding import FENCING, Acquirable, FencedHeld, Held, Place, fresh
from seawall.engines import Engine, KeyValue


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

    _least = FENCING
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
