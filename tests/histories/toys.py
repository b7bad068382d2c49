"""Small stores with a mistake of your choice, run step by step in any order: what a checker must be able to find."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator
from typing import Any

from tests.histories.checker import Call

Steps = Generator[None, None, Any]
"""A call that can be interrupted wherever it yields; its result is that of the call."""
Act = tuple[str, tuple[Any, ...], Steps]


class Register:
    """read, write and cas of one value.

    Args:
        mistake: What it does wrong; empty for nothing.
    """

    MISTAKES = (
        "reads a copy that is behind",
        "acknowledges before it writes",
        "looks first and writes later",
        "says no and does it",
        "says yes whatever happens",
        "forgets a write now and then",
    )

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.value: Any = 0
        self.old: Any = 0
        self.late: list[Any] = []
        self.writes = 0

    def read(self) -> Steps:
        """The value."""
        yield
        return self.old if self.mistake == "reads a copy that is behind" else self.value

    def write(self, value: Any) -> Steps:
        """Set it."""
        yield
        self.writes += 1
        if self.mistake == "acknowledges before it writes":
            self.late.append(value)
            if len(self.late) > 1:
                self._set(self.late.pop(0))
        elif self.mistake != "forgets a write now and then" or self.writes % 5:
            self._set(value)

    def cas(self, expected: Any, new: Any) -> Steps:
        """Set it if it is as expected; whether that was done."""
        yield
        done = self.value == expected
        if self.mistake == "looks first and writes later":
            yield
        if done or self.mistake == "says no and does it":
            self._set(new)
        return done or self.mistake == "says yes whatever happens"

    def _set(self, value: Any) -> None:
        self.old, self.value = self.value, value

    def client(self, number: int) -> Callable[[random.Random], Act]:
        """Calls at random; no value is written twice."""
        seen = 0

        def act(rng: random.Random) -> Act:
            nonlocal seen
            choice = rng.random()
            seen += 1
            new = (number, seen)
            if choice < 0.4:
                return "read", (), self.read()
            if choice < 0.6:
                return "write", (new,), self.write(new)
            # What a client that has just read would expect.
            return "cas", (self.value, new), self.cas(self.value, new)

        return act


class Lock:
    """acquire and release of one lock with tokens.

    Args:
        mistake: What it does wrong; empty for nothing.
    """

    MISTAKES = (
        "looks first and locks later",
        "gives it to whoever asks",
        "gives one token again",
        "counts tokens down",
        "lets anybody release",
        "says it is taken when it is free",
    )

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.owner: Any = None
        self.minted = 0
        self.token = 0

    def acquire(self, who: Any) -> Steps:
        """Its token; None when another has it."""
        yield
        free = self.owner is None and self.mistake != "says it is taken when it is free"
        if self.mistake == "looks first and locks later":
            yield
        if not free and self.mistake != "gives it to whoever asks":
            return None
        self.owner = who
        self.minted += 1
        if self.mistake == "gives one token again":
            self.token = 1 + self.minted // 3
        else:
            self.token = 1_000 - self.minted if self.mistake == "counts tokens down" else self.minted
        return self.token

    def release(self, who: Any, token: int) -> Steps:
        """Whether it was held by that token."""
        yield
        held = self.mistake == "lets anybody release" or (self.owner == who and self.token == token)
        if held:
            self.owner = None
        return held

    def client(self, number: int) -> Callable[[random.Random], Act]:
        """Acquires, and releases what it has, or what it only believes to have."""

        def act(rng: random.Random) -> Act:
            if rng.random() < 0.6 and self.owner != number:
                return "acquire", (), self.acquire(number)
            return "release", (self.token,), self.release(number, self.token)

        return act


class Key:
    """get, put, cas and delete of a key with revisions.

    Args:
        mistake: What it does wrong; empty for nothing.
    """

    MISTAKES = (
        "begins again after a delete",
        "keeps the revision of the value",
        "swaps at any revision",
        "brings back what was deleted",
    )

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.value: Any = None
        self.revision = 0
        self.counter = 0
        self.deleted: Any = None

    def get(self) -> Steps:
        """Value and revision."""
        yield
        if self.mistake == "brings back what was deleted" and self.value is None and self.deleted is not None:
            self.value, self.revision = self.deleted
            self.deleted = None
        return self.value, self.revision

    def put(self, value: Any) -> Steps:
        """Its revision."""
        yield
        return self._set(value)

    def cas(self, expected: int, value: Any) -> Steps:
        """Whether it was done, and the revision."""
        yield
        if expected != self.revision and self.mistake != "swaps at any revision":
            return False, self.revision
        return True, self._set(value)

    def delete(self) -> Steps:
        """Whether it was there, and the revision of its end."""
        yield
        if self.value is None:
            return False, 0
        self.deleted = (self.value, self.revision)
        self.value, self.revision = None, 0
        self.counter += 1
        ended = self.counter
        if self.mistake == "begins again after a delete":
            self.counter = 0
        return True, ended

    def _set(self, value: Any) -> int:
        if self.mistake != "keeps the revision of the value" or self.value is None:
            self.counter += 1
            self.revision = self.counter
        self.value = value
        return self.revision

    def client(self, number: int) -> Callable[[random.Random], Act]:
        """Calls at random."""
        count = 0

        def act(rng: random.Random) -> Act:
            nonlocal count
            count += 1
            choice, new = rng.random(), (number, count)
            if choice < 0.3:
                return "get", (), self.get()
            if choice < 0.5:
                return "put", (new,), self.put(new)
            if choice < 0.85:
                expected = self.revision if rng.random() < 0.7 else max(0, self.revision - 1)
                return "cas", (expected, new), self.cas(expected, new)
            return "delete", (), self.delete()

        return act


def run(toy: Register | Lock | Key, clients: int, seed: int, steps: int) -> list[Call]:
    """Clients call, each one thing at a time; chance decides who goes on. A step is a moment of the history."""
    rng = random.Random(seed)
    acts = [toy.client(number) for number in range(clients)]
    busy: list[tuple[Act, int] | None] = [None] * clients
    calls = []
    for now in range(steps):
        number = rng.randrange(clients)
        current = busy[number]
        if current is None:
            busy[number] = acts[number](rng), now
            continue
        (name, args, rest), began = current
        try:
            next(rest)
        except StopIteration as done:
            busy[number] = None
            lost = rng.random() < 0.05
            calls.append(Call(began, math.inf if lost else now, name, args, None if lost else done.value, number))
    return calls + [Call(each[1], math.inf, *each[0][:2], None, number) for number, each in enumerate(busy) if each]
