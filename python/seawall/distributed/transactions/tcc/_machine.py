"""What a TCC does next, from its definition, its state and the time; pure."""

from __future__ import annotations

from collections.abc import Iterable, Set

from seawall.distributed.transactions._conducting import UNDER_WAY, Call, Move
from seawall.distributed.transactions.tcc._definition import Tcc
from seawall.distributed.transactions.tcc._state import CANCEL, CANCELLED, CONFIRM, CONFIRMED, TRY, TccState


def next_move(tcc: Tcc, state: TccState, now_us: int, busy: Set[Call]) -> Move:
    """What to do next.

    Args:
        tcc: Its definition.
        state: Where it stands; neither parked nor finished.
        now_us: Unix time.
        busy: What is under way here; any other try that is begun was cut short.
    """
    if state.phase == "trying":
        return _try(tcc, state, now_us, busy)
    return _settle(tcc, state, now_us, busy)


def _try(tcc: Tcc, state: TccState, now_us: int, busy: Set[Call]) -> Move:
    left = [name for name in tcc.branches if state.of(name, TRY).state != "done"]
    if not left:
        return Move(then="confirm")
    if why := _why_not(state, left, now_us, busy):
        return UNDER_WAY if busy else Move(then="cancel", why=why)
    move = _begin(tcc, state, [(name, TRY) for name in left], now_us, busy)
    if move.wake_us is not None and state.deadline_us is not None:
        return Move(move.start, min(move.wake_us, state.deadline_us))
    return move


def _why_not(state: TccState, left: list[str], now_us: int, busy: Set[Call]) -> str:
    """Why all is to be cancelled; empty when it is not."""
    for name in left:
        progress = state.of(name, TRY)
        if progress.state in ("given_up", "refused"):
            return f"try of branch {name!r}: {progress.error}"
        # Presumed to be cancelled: whether it happened nobody knows, and nothing has been promised yet.
        if progress.state == "begun" and (name, TRY) not in busy:
            return f"the coordinator died, or was interrupted, while branch {name!r} was tried"
    if state.deadline_us is not None and now_us >= state.deadline_us:
        return f"the deadline has passed before branch {left[0]!r} was tried"
    return ""


def _settle(tcc: Tcc, state: TccState, now_us: int, busy: Set[Call]) -> Move:
    confirming = state.phase == "confirming"
    left = [call for call in _calls(tcc, state, confirming) if state.of(*call).state != "done"]
    if not left:
        return Move(then="finish", why=CONFIRMED if confirming else CANCELLED)
    stuck = {call: why for call in left if call not in busy and (why := _stuck(state, call))}
    # What can be settled is settled before the rest waits for a person.
    if len(stuck) == len(left):
        (branch, operation), why = next(iter(stuck.items()))
        return Move(then="park", why=f"{operation} of branch {branch!r}: {why}")
    return _begin(tcc, state, (call for call in left if call not in stuck), now_us, busy)


def _calls(tcc: Tcc, state: TccState, confirming: bool) -> list[Call]:
    if confirming:
        return [(name, CONFIRM) for name in tcc.branches]
    return [(name, CANCEL) for name in reversed(state.order) if state.of(name, TRY).state != "refused"]


def _stuck(state: TccState, call: Call) -> str:
    progress = state.of(*call)
    if progress.state in ("given_up", "refused"):
        return progress.error
    return progress.worn() if progress.is_worn else ""


def _begin(tcc: Tcc, state: TccState, calls: Iterable[Call], now_us: int, busy: Set[Call]) -> Move:
    """Begin what is due: all of it, or one after the other."""
    if busy and not tcc.parallel:
        return UNDER_WAY
    ready = [call for call in calls if call not in busy]
    due = tuple(call for call in ready if state.of(*call).due_us <= now_us)
    in_order = state.phase == "trying" and not tcc.parallel
    if in_order and due[:1] != tuple(ready[:1]):
        due = ()
    wake_us = min(
        (state.of(*call).due_us for call in ready[: 1 if in_order else None] if call not in due), default=None
    )
    return Move(due if tcc.parallel else due[:1], wake_us)
