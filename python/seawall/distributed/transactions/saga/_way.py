"""How sagas go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seawall.distributed.transactions._conducting import Call, Move, Task, Trouble, Way
from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions.saga._context import StepContext
from seawall.distributed.transactions.saga._definition import Saga
from seawall.distributed.transactions.saga._machine import next_move
from seawall.distributed.transactions.saga._result import SagaResult, result_of
from seawall.distributed.transactions.saga._state import ACTION, SagaState, apply, fold


@dataclass(frozen=True, slots=True)
class SagaTrouble(Trouble):
    """A worker could not go on with a saga, or not look for any; it tries again.

    Args:
        id: Of the saga; empty when none could be looked for.
        error: Why.
    """


def _plan(saga: Saga) -> Mapping[str, Any]:
    return {"steps": saga.shape, "pivot": saga.pivot, "deadline": saga.deadline_us}


def _turn(move: Move) -> tuple[str, Mapping[str, Any]]:
    return "back", {"why": move.why}


def _task(saga: Saga, owned: Owned, state: SagaState, call: Call) -> Task:
    step = saga.steps[call[0]]
    action = step.action if call[1] == ACTION else step.compensation
    assert action is not None
    return Task(call, action, step.guard, StepContext(owned, state, call))


WAY = Way(
    kind="saga",
    conductor="orchestrator",
    definition=Saga,
    plan=_plan,
    fold=fold,
    apply=apply,
    next_move=next_move,
    turn=_turn,
    task=_task,
    result=SagaResult,
    result_of=result_of,
    trouble=SagaTrouble,
)
