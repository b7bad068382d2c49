"""How TCCs go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seawall.distributed.transactions._conducting import Call, Move, Task, Trouble, Way
from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions.tcc._context import BranchContext
from seawall.distributed.transactions.tcc._definition import Tcc
from seawall.distributed.transactions.tcc._machine import next_move
from seawall.distributed.transactions.tcc._result import TccResult, result_of
from seawall.distributed.transactions.tcc._state import TccState, apply, fold


@dataclass(frozen=True, slots=True)
class TccTrouble(Trouble):
    """A worker could not go on with a TCC, or not look for any; it tries again.

    Args:
        id: Of the TCC; empty when none could be looked for.
        error: Why.
    """


def _plan(tcc: Tcc) -> Mapping[str, Any]:
    return {"branches": tcc.shape, "deadline": tcc.deadline_us}


def _turn(move: Move) -> tuple[str, Mapping[str, Any]]:
    return "decided", {"to": move.then, "why": move.why}


def _task(tcc: Tcc, owned: Owned, state: TccState, call: Call) -> Task:
    branch = tcc.branches[call[0]]
    return Task(call, branch.operation(call[1]), branch.guard, BranchContext(owned, state, call))


WAY = Way(
    kind="tcc",
    conductor="coordinator",
    definition=Tcc,
    plan=_plan,
    fold=fold,
    apply=apply,
    next_move=next_move,
    turn=_turn,
    task=_task,
    result=TccResult,
    result_of=result_of,
    trouble=TccTrouble,
)
