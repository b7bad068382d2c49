"""The shortest part of a history that is wrong by itself: what a person has to look at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tests.histories.checker import Call, Model, State, Verdict, check

_STEPS = 20_000


def shortest(history: Iterable[Call], model: Model, start: State) -> tuple[Call, ...]:
    """Calls that nothing explains, whatever all others did; empty when the history is linearizable.

    Guarantees: what is left out is not assumed away: it may have happened at any time after it was called, or never,
    with any answer. So the calls that are left contradict each other.

    Cost: one check for each halving and each call that is left; parts that are not decided soon are kept.
    """
    calls = sorted(history, key=lambda call: call.began)
    if check(calls, model, start):
        return ()
    calls = _prefix(calls, model, start)
    kept = [place for place, call in enumerate(calls) if not call.is_open]
    size = max(1, len(kept) // 2)
    while size:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + size :]
            if _is_wrong(_with_answers(calls, fewer), model, start):
                kept = fewer
            else:
                at += size
        size //= 2
    return tuple(calls[place] for place in kept)


def explain(history: Iterable[Call], model: Model, start: State) -> str:
    """For people: the calls that contradict each other, and where the search got stuck; empty when all is well."""
    calls = sorted(history, key=lambda call: call.began)
    verdict = check(calls, model, start)
    if verdict:
        return ""
    wrong = shortest(calls, model, start)
    return "\n".join([
        f"{len(wrong)} of {len(calls)} calls contradict each other, whatever the others did (began, ended, client):",
        *map(str, wrong),
        *_stuck(verdict),
    ])  # fmt: skip


def _stuck(verdict: Verdict) -> list[str]:
    return [
        f"the longest order that explains a part has {len(verdict.order)} calls, ends in {verdict.state!r}, and then",
        "none of these can come:",
        *map(str, verdict.stuck),
    ]


def _prefix(calls: Sequence[Call], model: Model, start: State) -> list[Call]:
    """Up to the first answer that cannot be explained: what comes later does not make it any better."""
    ends = sorted(call.ended for call in calls if not call.is_open)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if check(_until(calls, ends[middle]), model, start):
            low = middle + 1
        else:
            high = middle
    return _until(calls, ends[low])


def _until(calls: Sequence[Call], at: float) -> list[Call]:
    return [call if call.ended <= at else call.left_open() for call in calls if call.began <= at]


def _with_answers(calls: Sequence[Call], places: Sequence[int]) -> list[Call]:
    answered = set(places)
    return [call if place in answered else call.left_open() for place, call in enumerate(calls)]


def _is_wrong(calls: Sequence[Call], model: Model, start: State) -> bool:
    # What began after the last answer cannot matter.
    last = max((call.ended for call in calls if not call.is_open), default=-math.inf)
    try:
        return not check([call for call in calls if call.began <= last], model, start, most_steps=_STEPS)
    except RuntimeError:
        return False
