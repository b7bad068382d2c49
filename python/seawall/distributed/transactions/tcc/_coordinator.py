"""Runs TCCs, and goes on with those whose coordinator died."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from seawall.distributed.transactions._log import TransactionLog, Wall
from seawall.distributed.transactions._orders import Order
from seawall.distributed.transactions.tcc._conductor import Conductor, TccTrouble
from seawall.distributed.transactions.tcc._definition import Tcc
from seawall.distributed.transactions.tcc._result import TccResult
from seawall.engines import Engine
from seawall.patterns import Signal


class Coordinator:
    """Runs TCCs: all branches are tried, then it is decided, then all are confirmed or all are cancelled.

    Guarantees: what is to be called is on record before it is called, the decision before the first confirm or
    cancel. Of all coordinators on one namespace one has a TCC at a time, and only that one can write. A TCC whose
    coordinator died is gone on with by the next `recover`, at the latest `ttl` seconds later: as it was decided, and
    cancelled when a try was cut short before it was. Each function is called until its end is recorded, so at least
    once; its effect happens once where a Barrier or the service's own idempotency keys see to it. A TCC ends
    confirmed, cancelled, or parked until somebody decides.

    Thread safety: yes; any number of TCCs at once, in threads and tasks.

    Cost: durable writes, when all goes well: 2 for each branch and 1, fewer when they run in parallel.

    Args:
        engine: Where the log is kept.
        tccs: All definitions this process can run.
        owner: Name of this coordinator, for people.
        namespace: Of the log; coordinators in one share their TCCs.
        ttl: How long a TCC waits after its coordinator was killed, in seconds, 0.1 to 86,400.
        wall: What stamps the records, and measures deadlines and waits of TCCs; by default Unix time.
    """

    kind = "tcc"

    def __init__(
        self,
        engine: Engine,
        tccs: Iterable[Tcc],
        *,
        owner: str | None = None,
        namespace: str = "transactions",
        ttl: float | timedelta = 30.0,
        wall: Wall | None = None,
    ) -> None:
        self._conductor: Any = Conductor(engine, tccs, owner=owner, namespace=namespace, ttl=ttl, wall=wall)
        self.log: TransactionLog = self._conductor.log
        self.ended: Signal[TccResult] = self._conductor.ended
        """A TCC has come to an end here, or is parked."""
        self.troubled: Signal[TccTrouble] = self._conductor.troubled
        """A worker could not go on with a TCC, or not look for any; it tries again."""

    def run(self, name: str, input: Any = None, *, id: str | None = None) -> TccResult:
        """Begin a TCC and run it to its end; or go on with the one that has this id, if nobody else has it.

        Coroutine functions are run, too, each in a loop of its own; what they share needs `run_async`.

        Args:
            name: Of one of `tccs`.
            input: JSON; recorded, and told to every branch.
            id: Makes it idempotent: what was begun with the same id and input is not begun again. By default a new one.

        Returns:
            Its end: confirmed, cancelled, resolved or parked.

        Raises:
            ConfigError: There is no such TCC, or the input is no JSON.
            TransactionExists: The id has been begun with another name or input.
            TransactionBusy: Another coordinator runs it at present.
            DeadlineExceeded: The Deadline of the caller has passed; `recover` goes on with the TCC.
            LeaseLost: This coordinator was away for longer than `ttl`; another goes on with the TCC.
            Unavailable, UnknownOutcome: The engine failed; `recover` goes on with the TCC.
        """
        return self._conductor.run(name, input, id=id)  # type: ignore[no-any-return]

    async def run_async(self, name: str, input: Any = None, *, id: str | None = None) -> TccResult:
        """`run` in this task; coroutine functions are awaited, plain ones get a thread."""
        return await self._conductor.run_async(name, input, id=id)  # type: ignore[no-any-return]

    def start(self, name: str, input: Any = None, *, id: str | None = None) -> TccResult:
        """Begin a TCC and leave it to whoever recovers; how it stands when it has been begun before."""
        return self._conductor.start(name, input, id=id)  # type: ignore[no-any-return]

    async def start_async(self, name: str, input: Any = None, *, id: str | None = None) -> TccResult:
        """`start` in this task."""
        return await self._conductor.start_async(name, input, id=id)  # type: ignore[no-any-return]

    def resume(self, id: str) -> TccResult:
        """Go on with a TCC that nobody has; how it ended, when it has.

        Raises:
            TransactionUnknown: There is no such TCC, or it has been pruned.
            TransactionBusy: Another coordinator runs it at present.
            ConfigError: Its definition is not among `tccs`, or has other branches now.
        """
        return self._conductor.resume(id)  # type: ignore[no-any-return]

    async def resume_async(self, id: str) -> TccResult:
        """`resume` in this task."""
        return await self._conductor.resume_async(id)  # type: ignore[no-any-return]

    def status(self, id: str) -> TccResult | None:
        """How a TCC stands, whoever has it; None when there is none, or it has been pruned."""
        return self._conductor.status(id)  # type: ignore[no-any-return]

    async def status_async(self, id: str) -> TccResult | None:
        """`status` in this task."""
        return await self._conductor.status_async(id)  # type: ignore[no-any-return]

    def order(self, id: str, what: Order, *, by: str, why: str) -> TccResult:
        """Write what a person has decided about a TCC that nobody has; `resume` or a worker then does it.

        Args:
            id: Of the TCC.
            what: "park": nobody goes on with it. "resolve": it is finished as it is, somebody has seen to it.
                "compensate": it is cancelled, where it has not been decided yet. "retry": it goes on where it was
                parked, with all its attempts again.
            by: Who decides, for the history.
            why: For the history.

        Raises:
            TransactionUnknown: There is no such TCC.
            TransactionBusy: Another coordinator runs it at present.
            TransactionError: The decision makes no sense where it stands.
        """
        return self._conductor.order(id, what, by=by, why=why)  # type: ignore[no-any-return]

    async def order_async(self, id: str, what: Order, *, by: str, why: str) -> TccResult:
        """`order` in this task."""
        return await self._conductor.order_async(id, what, by=by, why=why)  # type: ignore[no-any-return]

    def recover(self, *, limit: int = 1_000) -> list[TccResult]:
        """Go on with TCCs nobody has, one after the other; those that have to wait longer than a second are left.

        TCCs whose definition is not among `tccs`, or has other branches, are left to others.

        Args:
            limit: How many at most.
        """
        return self._conductor.recover(limit=limit)  # type: ignore[no-any-return]

    async def recover_async(self, *, limit: int = 1_000) -> list[TccResult]:
        """`recover` in this task."""
        return await self._conductor.recover_async(limit=limit)  # type: ignore[no-any-return]

    def prune(self, *, older: float | timedelta) -> int:
        """Forget TCCs that ended longer ago than `older` seconds; how many. Their ids may be begun again."""
        return self._conductor.prune(older=older)  # type: ignore[no-any-return]

    async def prune_async(self, *, older: float | timedelta) -> int:
        """`prune` in this task."""
        return await self._conductor.prune_async(older=older)  # type: ignore[no-any-return]

    def work(self, stop: threading.Event, *, poll: float | timedelta = 1.0, concurrency: int = 4) -> None:
        """Recover again and again until `stop` is set; then what is under way is brought to its end.

        Args:
            stop: Ends it.
            poll: Seconds between two looks, 0.01 to 3,600.
            concurrency: TCCs at once, 1 to 1,000.
        """
        self._conductor.work(stop, poll=poll, concurrency=concurrency)

    async def work_async(self, *, poll: float | timedelta = 1.0, concurrency: int = 4) -> None:
        """Recover again and again until cancelled; what is under way is then cancelled, too, and left to others."""
        await self._conductor.work_async(poll=poll, concurrency=concurrency)

    def close(self) -> None:
        """End the thread that renews claims, if there is one; the engine stays open."""
        self._conductor.close()
