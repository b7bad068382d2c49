"""One of many leads, for a term."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import ClassVar, TypeVar

from seawall.clock import to_ns
from seawall.distributed._holding import FENCING, Acquirable, FencedHeld, Place, fresh
from seawall.distributed.election._leaders import Leader, NoLeader, leader_of
from seawall.distributed.election._observer import LeaderWatch
from seawall.engines import Engine, KeyValue, Require
from seawall.engines.operation import Op, awaitable, blocking
from seawall.errors import LockLost

R = TypeVar("R")


class Leadership(FencedHeld):
    """To lead, for one term; what writes under it is checked by its term where it is written, as with any lock.

    Attributes:
        token: The term.
    """

    __slots__ = ()

    @property
    def term(self) -> int:
        """The fencing token: greater than that of every leader before."""
        return self.token

    def resign(self) -> bool:
        """Lead no longer, so that the next one does at once; False when it was lost before."""
        return self.release()

    async def resign_async(self) -> bool:
        """`resign` for a task."""
        return await self.release_async()


class LeaderElection(Acquirable[Leadership]):
    """Of all candidates one leads, the others stand by in the order they came.

    Guarantees: those of a FencedLock: one leader at a time by the engine's clock, terms that only grow, and a leader
    that was paused beyond its lease cannot write where its term is checked (`SqlFence`, `RedisFence`,
    `FencedKeyValue`). A leader that cannot reach the engine is told when its time is over, at the latest.

    Thread safety: yes. A thread or task leads for itself.

    Args:
        store: An engine, or the key_value of one; of an engine it is the namespace "locks".
        name: What is led: at most 400 bytes.
        candidate: What observers are told about this one, such as its address; by default host and process.
        ttl: How long it leads without a sign of life, in seconds, 0.1 to a day: also the longest time without a leader
            after one died.

    Example:
        >>> from seawall.engines import open_engine
        >>> election = LeaderElection(open_engine("memory://"), "scheduler", candidate="10.0.0.7")
        >>> with election as leadership:
        ...     election.leader() == ("10.0.0.7", leadership.term)
        True
    """

    what: ClassVar[str] = "leadership"
    _least: ClassVar[Require] = FENCING
    _held_kind = Leadership

    def __init__(
        self,
        store: Engine | KeyValue,
        name: str,
        *,
        candidate: str | None = None,
        ttl: float | timedelta = 10.0,
    ) -> None:
        super().__init__(store, name, kind="election", ttl=ttl, renew=True, reentrant=False, owner=candidate)

    @property
    def candidate(self) -> str:
        """What observers are told about this one."""
        return self._owner.decode()

    def _place(self) -> Place:
        return Place(self._root, self._root + fresh(), self._root)

    def _do_leader(self) -> Op[Leader | NoLeader]:
        """Who leads now.

        Raises:
            Unavailable: That is not known.
        """
        listing = yield from self._key_value._do_list(self._root)
        return leader_of(listing.entries, listing.revision)

    leader, leader_async = blocking(_do_leader), awaitable(_do_leader)

    def watch(self, *, heartbeat: float | timedelta = 5.0) -> LeaderWatch:
        """Follow who leads: `with election.watch() as watch: for standing in watch: ...`, or async.

        Args:
            heartbeat: The longest silence of the engine, in seconds, 0.05 to 300.
        """
        return LeaderWatch(self._key_value, self._root, to_ns(heartbeat, "heartbeat", least_ns=0) / 1e9)

    def run(self, work: Callable[[Leadership], R], *, again: bool = True) -> R:
        """Lead and work, until the work ends: then resign, and return what it returned.

        Args:
            work: Called when this one leads. It asks `leadership.check()` between its steps, which raises LockLost, or
                looks at `leadership.lost`; and it gives the leadership to fences.
            again: When leadership was lost stand by again, and work again from the beginning; else raise LockLost.
        """
        while True:
            held = self.acquire()
            try:
                with held as leadership:
                    result = work(leadership)
            except LockLost as lost:
                if not again or not _is_of(lost, held):
                    raise
            else:
                return result

    async def run_async(self, work: Callable[[Leadership], Awaitable[R]], *, again: bool = True) -> R:
        """`run` for a task: the work is cancelled where it stands when leadership is lost."""
        while True:
            held = await self.acquire_async()
            try:
                async with held as leadership:
                    result = await work(leadership)
            except LockLost as lost:
                if not again or not _is_of(lost, held):
                    raise
            else:
                return result

    def __repr__(self) -> str:
        return f"<LeaderElection {self.name!r} as {self.candidate!r} on {self._driver.name}, ttl {self.ttl:g} s>"


def _is_of(lost: LockLost, held: Leadership) -> bool:
    """Whether the error is about this leadership, and not about a lock that the work had besides."""
    return lost.name == held.name and lost.token == held.token
