"""What a saga does next, from its definition, its state and the time; pure."""

from __future__ import annotations

from collections.abc import Iterator, Set

from seawall.distributed.transactions._conducting import UNDER_WAY, Call, Move
from seawall.distributed.transactions.saga._definition import Saga, Step
from seawall.distributed.transactions.saga._state import ACTION, COMPENSATED, COMPENSATION, DONE, SagaState


def next_move(saga: Saga, state: SagaState, now_us: int, busy: Set[Call]) -> Move:
    """What to do next.

    Args:
        saga: Its definition.
        state: Where it stands; neither parked nor finished.
        now_us: Unix time.
        busy: What is under way here; anything else that is begun was cut short.
    """
    if state.phase == "compensating":
        return _back(saga, state, now_us, busy)
    return _forward(saga, state, now_us, busy)


def _forward(saga: Saga, state: SagaState, now_us: int, busy: Set[Call]) -> Move:
    runnable = list(_runnable(saga, state))
    if not runnable:
        return Move(then="finish", why=DONE)
    if ending := _ending(saga, state, runnable, now_us, busy):
        return UNDER_WAY if busy else ending
    ready = [(step.name, ACTION) for step in runnable if (step.name, ACTION) not in busy]
    start = tuple(call for call in ready if state.of(*call).due_us <= now_us)
    later = [state.of(*call).due_us for call in ready if call not in start]
    if later and state.deadline_us is not None and not _is_bound(saga, state):
        later.append(state.deadline_us)
    return Move(start=start, wake_us=min(later, default=None))


def _runnable(saga: Saga, state: SagaState) -> Iterator[Step]:
    """The next step of each branch of the first stage that is not done."""
    for stage in saga.stages:
        left = [
            step
            for branch in stage
            if (step := next((s for s in branch if state.of(s.name, ACTION).state != "done"), None)) is not None
        ]
        if left:
            yield from left
            return


def _ending(saga: Saga, state: SagaState, runnable: list[Step], now_us: int, busy: Set[Call]) -> Move | None:
    """What ends the way forward, if anything does."""
    for step in runnable:
        progress = state.of(step.name, ACTION)
        is_worn = progress.is_worn and (step.name, ACTION) not in busy
        if progress.state not in ("given_up", "refused") and not is_worn:
            continue
        why = f"step {step.name!r}: {progress.worn() if is_worn else progress.error}"
        if saga.is_after_pivot(step.name):
            return Move(then="park", why=why)
        if step.pivot and progress.state != "refused":
            return Move(then="park", why=f"{why}; nobody knows whether the pivot has happened")
        return Move(then="back", why=why)
    if state.deadline_us is not None and now_us >= state.deadline_us and not _is_bound(saga, state):
        return Move(then="back", why=f"the deadline has passed before step {runnable[0].name!r} was done")
    return None


def _is_bound(saga: Saga, state: SagaState) -> bool:
    """Whether the pivot has begun: it may have happened."""
    return saga.pivot is not None and state.of(saga.pivot, ACTION).state not in ("idle", "refused")


def _back(saga: Saga, state: SagaState, now_us: int, busy: Set[Call]) -> Move:
    if busy:
        return UNDER_WAY
    for name in reversed(state.order):
        call = (name, COMPENSATION)
        progress = state.of(*call)
        if state.of(name, ACTION).state == "refused" or saga.steps[name].compensation is None:
            continue
        if progress.state == "done":
            continue
        if progress.state in ("given_up", "refused"):
            return Move(then="park", why=f"compensation of step {name!r}: {progress.error}")
        if progress.is_worn:
            return Move(then="park", why=f"compensation of step {name!r}: {progress.worn()}")
        return Move(start=(call,)) if progress.due_us <= now_us else Move(wake_us=progress.due_us)
    return Move(then="finish", why=COMPENSATED)
