"""Is a history of concurrent calls linearizable?

    >>> from tests.histories.checker import Call, check, register
    >>> history = [Call(0, 1, "write", (1,)), Call(2, 3, "read", (), 0)]
    >>> bool(check(history, register, 0))
    False

Source: Wing and Gong, "Testing and Verifying Concurrent Objects", 1993, with Lowe's memo of what was tried,
"Testing for linearizability", 2017.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

State = Hashable
Model = Callable[[Any, "Call"], "tuple[bool, Any]"]
"""(state, call) -> (whether the call could have had its result then, the state after it).

For a call that is open the result is unknown: the model says what it may have done.
"""


class Call(NamedTuple):
    """One call of a history.

    Attributes:
        began: When it was made, by a clock that all clients share.
        ended: When its answer came; math.inf when it never did, so that it may have had its effect at any later time,
            or none.
        name: What was called.
        args: With what.
        result: What was answered; ignored when `ended` is infinite.
        client: Who called.
    """

    began: float
    ended: float
    name: str
    args: tuple[Any, ...] = ()
    result: Any = None
    client: Hashable = None

    @property
    def is_open(self) -> bool:
        """Whether its answer never came."""
        return math.isinf(self.ended)

    def left_open(self) -> Call:
        """The same call, as if its answer had never come: whatever was explained before still is."""
        return self._replace(ended=math.inf, result=None)

    def __str__(self) -> str:
        ended = "   never ended" if self.is_open else f"{self.ended:>14,.0f}"
        answer = "?" if self.is_open else repr(self.result)
        return f"{self.began:>14,.0f} {ended}  {self.client!s:>12}  {self.name}{self.args!r} -> {answer}"


@dataclass(frozen=True)
class Verdict:
    """What the checker found; true when the history is linearizable.

    Args:
        order: An order that explains it, or the longest one that explains a part.
        stuck: Calls none of which can come next after that part; empty when it is linearizable.
        steps: How many states were looked at.
        state: Where that order leads to.
    """

    order: tuple[Call, ...]
    stuck: tuple[Call, ...]
    steps: int
    state: Any = None

    def __bool__(self) -> bool:
        return not self.stuck


def check(history: Iterable[Call], model: Model, start: State, *, most_steps: int = 5_000_000) -> Verdict:
    """Look for an order of the calls that keeps to their times and to the model.

    Cost: exponential in the number of calls at one time at worst; about linear for histories of few clients.

    Raises:
        RuntimeError: Not decided within `most_steps`.
    """
    calls = sorted(history, key=lambda call: call.began)
    every = (1 << len(calls)) - 1
    must = sum(1 << place for place, call in enumerate(calls) if not call.is_open)
    best: tuple[int, ...] = ()
    best_state = start
    tried: set[tuple[int, State]] = set()
    path: list[int] = []
    stack: list[tuple[int, State, list[int]]] = [(0, start, _next(calls, every, 0))]
    steps = 0
    while stack:
        done, state, candidates = stack[-1]
        if done & must == must:
            return Verdict(tuple(calls[place] for place in path), (), steps, state)
        if not candidates:
            stack.pop()
            if path:
                path.pop()
            continue
        place = candidates.pop()
        steps += 1
        if steps > most_steps:
            raise RuntimeError(f"not decided within {most_steps} steps; check a shorter history, or key by key")
        possible, after = model(state, calls[place])
        if not possible or (calls[place].is_open and after == state):
            continue  # what may never have happened, and would change nothing, explains nothing
        key = (done | 1 << place, after)
        if key not in tried:
            tried.add(key)
            path.append(place)
            if len(path) > len(best):
                best, best_state = tuple(path), after
            stack.append((*key, _next(calls, every, key[0])))
    done = sum(1 << place for place in best)
    stuck = tuple(calls[place] for place in _next(calls, every, done))
    return Verdict(tuple(calls[place] for place in best), stuck, steps, best_state)


def _next(calls: Sequence[Call], every: int, done: int) -> list[int]:
    """Calls that may come next: made before any of the others has ended.

    They are tried from the end: what has an answer first, the earliest of it before the later; what may never have
    happened last.
    """
    found: list[int] = []
    first_end = math.inf
    rest = every & ~done
    while rest:
        lowest = rest & -rest
        place = lowest.bit_length() - 1
        if calls[place].began > first_end:
            break
        found.append(place)
        first_end = min(first_end, calls[place].ended)
        rest ^= lowest
    found.sort(key=lambda place: (not calls[place].is_open, -place))
    return found


def check_by_key(
    history: Iterable[Call], model: Model, start: State, key: Callable[[Call], Hashable]
) -> dict[Hashable, Verdict]:
    """`check` for each key by itself: linearizability is local, and short histories are cheap."""
    parts: dict[Hashable, list[Call]] = {}
    for call in history:
        parts.setdefault(key(call), []).append(call)
    return {name: check(calls, model, start) for name, calls in parts.items()}


def register(state: Any, call: Call) -> tuple[bool, Any]:
    """A register: read() -> value, write(value), cas(expected, new) -> whether it was done."""
    if call.name == "read":
        return call.is_open or call.result == state, state
    if call.name == "write":
        return True, call.args[0]
    expected, new = call.args
    done = state == expected
    return call.is_open or call.result == done, new if done else state


class Held(NamedTuple):
    """The state of a lock.

    Attributes:
        owner: Who holds it; None when nobody does.
        token: The highest so far that is known.
        told: Whether that is the owner's; if its acquire was never answered, its token is some higher one.
    """

    owner: Hashable = None
    token: int = 0
    told: bool = True


def lock(state: Held, call: Call) -> tuple[bool, Held]:
    """A fenced lock: acquire() -> token or None, release(token) -> whether it was held by it; tokens grow."""
    if call.name == "acquire":
        free = state.owner is None
        if call.is_open:
            return True, Held(call.client, state.token, False) if free else state
        if call.result is None:
            return not free, state
        return free and call.result > state.token, Held(call.client, call.result)
    token = call.args[0]
    may_be = state.owner == call.client and (token == state.token if state.told else token > state.token)
    must_be = may_be and state.told
    if call.is_open or call.result:
        return call.is_open or may_be, Held(None, token) if may_be else state
    return not must_be, state
