"""How TCCs go the way that sagas go: the same log, ownership, recovery and runners, with another machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions._records import LogEntry, as_json
from seawall.distributed.transactions.saga._course import Journey, Task
from seawall.distributed.transactions.saga._machine import Move
from seawall.distributed.transactions.saga._orchestrator import Orchestrator
from seawall.distributed.transactions.saga._state import Call
from seawall.distributed.transactions.tcc._context import BranchContext
from seawall.distributed.transactions.tcc._definition import Tcc
from seawall.distributed.transactions.tcc._machine import next_move
from seawall.distributed.transactions.tcc._result import TccResult, result_of
from seawall.distributed.transactions.tcc._state import apply, fold
from seawall.errors import ConfigError
from seawall.patterns import Signal


@dataclass(frozen=True, slots=True)
class TccTrouble:
    """A worker could not go on with a TCC, or not look for any; it tries again.

    Args:
        id: Of the TCC; empty when none could be looked for.
        error: Why.
    """

    id: str
    error: BaseException


class TccJourney(Journey):
    """A TCC that is owned."""

    kind = "tcc"
    _fold: Any = staticmethod(fold)
    _apply: Any = staticmethod(apply)
    _saga: Any
    _state: Any

    def _next(self) -> Move:
        return next_move(self._saga, self._state, self._log.now_us(), self._busy)

    def _turned(self, move: Move) -> bool:
        if move.then not in ("confirm", "cancel"):
            return False
        # In the same write as the first intent to confirm or cancel, and before it is begun.
        self._note("decided", to=move.then, why=move.why)
        return True

    def _task(self, owned: Owned, call: Call) -> Task:
        branch = self._saga.branches[call[0]]
        context: Any = BranchContext(owned, self._state, *call)
        return Task(call, branch.operation(call[1]), branch.guard, context)


class Conductor(Orchestrator):
    """Runs TCCs where the base runs sagas."""

    kind = "tcc"
    _who = "coordinator"
    _fold: Any = staticmethod(fold)
    _next_move: Any = staticmethod(next_move)
    _result_of: Any = staticmethod(result_of)
    _trouble_of: Any = TccTrouble
    sagas: Any
    ended: Any
    troubled: Any

    def __init__(self, engine: Any, tccs: Iterable[Tcc], **options: Any) -> None:
        super().__init__(engine, tccs, **options)  # type: ignore[arg-type]  # named by what stands below
        self.ended = Signal("tcc.ended", TccResult)
        self.troubled = Signal("tcc.troubled", TccTrouble)

    def _named(self, sagas: Iterable[Any]) -> dict[str, Any]:
        return _by_name(sagas)

    def _begun(self, name: str, input: Any) -> tuple[Any, LogEntry]:
        tcc = self.sagas.get(name)
        if tcc is None:
            raise ConfigError(
                f"tcc must be one of {', '.join(self.sagas)}, got {name!r}; give its definition to the Coordinator"
            )
        plan = {"branches": tcc.shape, "deadline": tcc.deadline_us}
        return tcc, self.log.entry("begun", name=name, input=as_json(input, "input"), plan=plan)

    def _journey(self, saga: Any, patience_us: float) -> TccJourney:
        return TccJourney(self.log, saga, patience_us, self._keeper.add)


def _by_name(tccs: Iterable[Tcc]) -> dict[str, Any]:
    found: dict[str, Tcc] = {}
    for tcc in tccs:
        if not isinstance(tcc, Tcc):
            raise ConfigError(f"tccs must be Tcc objects, got {tcc!r}")
        if found.setdefault(tcc.name, tcc) is not tcc:
            raise ConfigError(f"two tccs are named {tcc.name!r}; recovery could not tell them apart")
    if not found:
        raise ConfigError("tccs must be at least one Tcc, got none")
    return found
