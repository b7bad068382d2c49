"""Runs TCCs, and goes on with those whose coordinator died."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from seawall.distributed.transactions._conducting import Conductor
from seawall.distributed.transactions._log import Wall
from seawall.distributed.transactions.tcc._definition import Tcc
from seawall.distributed.transactions.tcc._result import TccResult
from seawall.distributed.transactions.tcc._state import TccState
from seawall.distributed.transactions.tcc._way import WAY, TccTrouble
from seawall.engines import Engine


class Coordinator(Conductor[Tcc, TccState, TccResult, TccTrouble]):
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
        super().__init__(WAY, engine, tccs, owner=owner, namespace=namespace, ttl=ttl, wall=wall)
