"""Clients that use an engine at random and write down what they are answered."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, ClassVar

from tests.histories.recorder import Diary

from seawall.clock import SystemClock
from seawall.engines import Engine
from seawall.errors import Conflict, LeaseLost, Unavailable, UnknownOutcome

_PAUSE = 0.003


class Client:
    """One client of one engine.

    Args:
        engine: Its own.
        namespace: Shared by all.
        diary: What it writes down; its name makes values unique.
        seed: Decides what it does.
        ttl: Of what it holds, in seconds.
    """

    kind: ClassVar[str]
    port: ClassVar[str]

    def __init__(self, engine: Engine, namespace: str, diary: Diary, seed: int, ttl: float) -> None:
        self.rng = random.Random(f"{seed}/{diary.client}")
        self.diary = diary
        self.ttl = ttl
        self.clock = SystemClock()
        self.number = 0
        self.use: Any = getattr(engine, self.port)(namespace)
        self.last_error = ""

    def step(self) -> None:
        """One thing to do."""
        raise NotImplementedError

    def live(self, progress: Callable[[], None], stop: Callable[[], bool]) -> None:
        """Go on until told to stop, whatever the engine does."""
        while not stop():
            try:
                self.step()
            except (Unavailable, UnknownOutcome) as error:
                if "is asked again in" not in str(error):  # that of the breaker says nothing about why
                    self.last_error = repr(error)
            else:
                progress()
            self.clock.sleep(self.rng.uniform(0, _PAUSE))

    def value(self) -> bytes:
        """One that nobody else writes."""
        self.number += 1
        return f"{self.diary.client}-{self.number}".encode()


class Register(Client):
    """Reads, writes, swaps and deletes two keys."""

    kind = "register"
    port = "key_value"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: dict[str, int] = {}

    def step(self) -> None:
        """One call on one key."""
        key, choice = self.rng.choice(("r0", "r1")), self.rng.random()
        if choice < 0.4:
            _, self.seen[key] = self.diary.call(key, "get", lambda: _entry(self.use.get(key)))
        elif choice < 0.6:
            value = self.value()
            self.seen[key] = self.diary.call(key, "put", lambda: self.use.put(key, value), value)
        elif choice < 0.9:
            value, revision = self.value(), self.seen.get(key, 0)
            swap = lambda: tuple(self.use.compare_and_set(key, value, revision))  # noqa: E731
            _, self.seen[key] = self.diary.call(key, "cas", swap, revision, value)
        else:
            self.diary.call(key, "delete", lambda: tuple(self.use.delete(key)))


def _entry(entry: Any) -> tuple[bytes | None, int]:
    return (None, 0) if entry is None else (entry.value, entry.revision)


class Counter(Client):
    """Adds 1 to a key by compare-and-set."""

    kind = "counter"
    port = "key_value"

    def step(self) -> None:
        """Read, and swap; who was too slow tries again next time."""
        value, revision = self.diary.call("count", "get", lambda: _entry(self.use.get("count")))
        count = 0 if value is None else int(value.split()[0])
        new = b"%d " % (count + 1) + self.value()
        self.diary.call("count", "cas", lambda: tuple(self.use.compare_and_set("count", new, revision)), revision, new)


class Appender(Client):
    """Appends to one stream, mostly at the position it expects."""

    kind = "appender"
    port = "journal"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen = 0

    def step(self) -> None:
        """Look where the end is, or append."""
        choice = self.rng.random()
        if choice < 0.3:
            self.seen = self.diary.call("log", "at", lambda: self.use.last("log"))
        elif choice < 0.8:
            value, expected = self.value(), self.seen
            _, position = self.diary.call("log", "cas", lambda: self._append(value, expected), expected, value)
            self.seen = position if position is not None else self.seen
        else:
            value = self.value()
            self.seen = self.diary.call("log", "put", lambda: self.use.append("log", value), value)

    def _append(self, value: bytes, expected: int) -> tuple[bool, int | None]:
        try:
            return True, self.use.append("log", value, expected=expected)
        except Conflict as error:
            return False, error.actual


class Owner(Client):
    """Claims a stream, writes to it under the claim, and gives it up or forgets to."""

    kind = "owner"
    port = "journal"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.claim: Any = None

    def step(self) -> None:
        """Claim, append, renew, release, or forget the claim."""
        if self.claim is None:
            self.diary.call("fenced", "claim", self._claim)
            return
        claim, choice = self.claim, self.rng.random()
        if choice < 0.6:
            value = self.value()
            state, _ = self.diary.call("fenced", "append", lambda: self._append(claim, value), claim.token, value)
        elif choice < 0.8:
            state = self.diary.call("fenced", "renew", lambda: _held(self.use.renew, claim), claim.token)
        elif choice < 0.95:
            self.claim, state = None, "given up"
            self.diary.call("fenced", "release", lambda: self.use.release(claim), claim.token)
        else:
            state = "lost"
        if state == "lost":
            self.claim = None

    def _claim(self) -> int | None:
        self.claim = self.use.claim("fenced", self.diary.client, self.ttl)
        return None if self.claim is None else self.claim.token

    def _append(self, claim: Any, value: bytes) -> tuple[str, int]:
        try:
            return "held", self.use.append("fenced", value, claim=claim)
        except LeaseLost:
            return "lost", 0


def _held(fn: Callable[[Any], Any], what: Any) -> str:
    try:
        fn(what)
    except LeaseLost:
        return "lost"
    return "held"


class Leader(Client):
    """Holds a key by a lease; its revision is the fence."""

    kind = "leader"
    port = "key_value"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lease: Any = None
        self.token = 0

    def step(self) -> None:
        """Try to become leader; stay it, step down, or forget."""
        choice = self.rng.random()
        if self.lease is None:
            self._run_for_it()
        elif choice < 0.7:
            lease = self.lease
            if self.diary.call("leader", "keep", lambda: _held(self.use.keep_alive, lease), self.token) == "lost":
                self.lease = None
        elif choice < 0.95:
            lease, self.lease = self.lease, None
            self.diary.call("leader", "revoke", lambda: self.use.revoke(lease), self.token)
        else:
            self.lease = None

    def _run_for_it(self) -> None:
        lease = self.diary.call("leader", "grant", lambda: self.use.grant(self.ttl))
        done, token = self.diary.call("leader", "win", lambda: self._win(lease), lease.id, self.value())
        if done:
            self.lease, self.token = lease, token
        else:
            # A lease that nothing is bound to only waits for its end.
            self.diary.call("leader", "drop", lambda: self.use.revoke(lease))

    def _win(self, lease: Any) -> tuple[bool, int]:
        try:
            return tuple(self.use.compare_and_set("leader", self.diary.client.encode(), 0, lease=lease))
        except LeaseLost:
            return False, 0


KINDS: tuple[type[Client], ...] = (Register, Counter, Appender, Owner, Leader)
