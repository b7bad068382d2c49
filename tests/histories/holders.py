"""Locks with a time to live: who certainly held them when, and who must not have had them then.

Whether a lock has expired depends on the time, which a model of calls one after another does not know. So these are
laws over times. They hold for a client and a server whose clocks run alike.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Holding:
    """One holding of a lock, as its holder saw it.

    Args:
        lock: Which lock.
        owner: Who held it.
        token: What it was fenced by.
        began: When it was asked for.
        ended: When it was told.
        until: It was certainly held until then, if it was not given up: the last sign of life that was acknowledged
            began a time to live before.
        given_up: When its holder began to give it up; math.inf if never.
    """

    lock: str
    owner: Any
    token: int
    began: float
    ended: float
    until: float
    given_up: float = math.inf

    @property
    def sure_until(self) -> float:
        """Nobody else may have it before."""
        return min(self.until, self.given_up)


@dataclass(frozen=True, slots=True)
class Write:
    """An acknowledged write under a lock.

    Args:
        lock: Which lock.
        token: Under which fence.
        began: When it was asked for.
        position: Where it is among all writes.
    """

    lock: str
    token: int
    began: float
    position: int


def two_holders(holdings: Iterable[Holding], tolerance: float = 0.0) -> list[str]:
    """Who got a lock while it was certainly held by another; and tokens that did not grow."""
    found = []
    for lock in _locks(holdings):
        by_token = sorted(lock, key=lambda holding: holding.token)
        for first, second in itertools.pairwise(by_token):
            if first.token == second.token:
                found.append(f"one token twice: {first} and {second}")
            elif second.ended < first.began:
                found.append(f"tokens did not grow: {second} came before {first}")
            elif second.ended < first.sure_until - tolerance:
                found.append(f"two holders at one time: {first} and {second}")
    return found


def broken_fences(holdings: Sequence[Holding], writes: Iterable[Write]) -> list[str]:
    """Writes under a token after a higher one was given out, and writes out of the order of their tokens."""
    found = []
    highest: dict[str, int] = {}
    for write in sorted(writes, key=lambda each: each.position):
        if write.token < highest.get(write.lock, 0):
            found.append(f"written behind token {highest[write.lock]}: {write}")
        highest[write.lock] = max(write.token, highest.get(write.lock, 0))
        found += [
            f"written after {holding} was told: {write}"
            for holding in holdings
            if holding.lock == write.lock and holding.token > write.token and holding.ended < write.began
        ]
    return found


def not_growing(numbered: Iterable[tuple[float, float, int]]) -> list[str]:
    """Of (began, ended, number): numbers not above those of all that ended before they began, and those given twice."""
    found = []
    calls = list(numbered)
    given = Counter(number for _, _, number in calls)
    found += [f"{number} was given {times} times" for number, times in sorted(given.items()) if times > 1]
    ended, highest, place = sorted(calls, key=lambda call: call[1]), -1, 0
    for began, end, number in sorted(calls):
        while ended[place][1] < began:
            highest = max(highest, ended[place][2])
            place += 1
        if number <= highest:
            found.append(f"{number} was given between {began:,.0f} and {end:,.0f}, {highest} before that")
    return found


def _locks(holdings: Iterable[Holding]) -> list[list[Holding]]:
    locks: dict[str, list[Holding]] = {}
    for holding in holdings:
        locks.setdefault(holding.lock, []).append(holding)
    return list(locks.values())
