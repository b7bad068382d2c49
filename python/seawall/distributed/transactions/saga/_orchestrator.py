"""Runs sagas, and goes on with those whose orchestrator died."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from seawall.distributed.transactions._conducting import Conductor
from seawall.distributed.transactions._log import Wall
from seawall.distributed.transactions.saga._definition import Saga
from seawall.distributed.transactions.saga._result import SagaResult
from seawall.distributed.transactions.saga._state import SagaState
from seawall.distributed.transactions.saga._way import WAY, SagaTrouble
from seawall.engines import Engine


class Orchestrator(Conductor[Saga, SagaState, SagaResult, SagaTrouble]):
    """Runs sagas whose every step is recorded before it begins and after it ended, so that any process can go on.

    Guarantees: of all orchestrators on one namespace one has a saga at a time, and only that one can write. A saga
    whose orchestrator died is gone on with by the next `recover`, at the latest `ttl` seconds later. An action is
    called until its end is recorded, so at least once; its effect happens once where a Barrier or the service's own
    idempotency keys see to it. A saga ends done, compensated, or parked until somebody decides: never half done and
    forgotten. Cancelled or interrupted it is left at once to whoever recovers it.

    Thread safety: yes; any number of sagas at once, in threads and tasks.

    Cost: durable writes: one more than there are steps, when all goes well.

    Args:
        engine: Where the log is kept.
        sagas: All definitions this process can run.
        owner: Name of this orchestrator, for people.
        namespace: Of the log; orchestrators in one share their sagas.
        ttl: How long a saga waits after its orchestrator was killed, in seconds, 0.1 to 86,400.
        wall: What stamps the records, and measures deadlines and waits of sagas; by default Unix time.
    """

    def __init__(
        self,
        engine: Engine,
        sagas: Iterable[Saga],
        *,
        owner: str | None = None,
        namespace: str = "transactions",
        ttl: float | timedelta = 30.0,
        wall: Wall | None = None,
    ) -> None:
        super().__init__(WAY, engine, sagas, owner=owner, namespace=namespace, ttl=ttl, wall=wall)

    @property
    def sagas(self) -> Mapping[str, Saga]:
        """The definitions, by name."""
        return self._definitions
