"""Transactions as messages: what is said in one round trip, decided without any I/O."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from seawall.errors import Unavailable

R = TypeVar("R")
_LEAST_TIME = 0.02
Rows = list[tuple[Any, ...]]
Statement = tuple[str, tuple[Any, ...]]
"""SQL with %s for each parameter, and the parameters."""


@dataclass(frozen=True, slots=True)
class Message:
    """Several statements sent at once.

    Args:
        sql: Joined by semicolons.
        params: Of all of them.
        may_change: An answer that is lost leaves it open whether something was changed.
    """

    sql: str
    params: tuple[Any, ...] = ()
    may_change: bool = False


Talk = Generator[Message, list[Rows], R]
"""Messages to send, receiving the rows of each statement that has any."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction; its reply is a list with the rows of each of its statements.

    Args:
        statements: Each gives rows.
        write: It may change something; else all of it sees one instant.
        durable: As durable as the engine promises; else it may be lost with the server.
    """

    statements: tuple[Statement, ...]
    write: bool = True
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Look:
    """A step that reads, on the connection that hears the bell of a watch.

    Args:
        feed: Keeps that connection in its handle.
        channel: The bell's.
        step: What is read.
    """

    feed: Any
    channel: str
    step: Step


@dataclass(frozen=True, slots=True)
class Hear:
    """Sleep until the bell rings, at most `seconds`; true when it has rung."""

    feed: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Joined:
    """One statement inside the caller's own transaction; its reply is the rows."""

    connection: Any
    statement: Statement


@dataclass(slots=True)
class Settings:
    """What a connection found out about its server.

    Attributes:
        relaxed: The server acknowledges before a write is on disk, unless it is told otherwise.
        pid: Of the server process as the client was told; None until it is known.
        direct: Whether it is the same process for each transaction; behind a pooling proxy it is not.
    """

    relaxed: bool = False
    pid: int | None = None
    direct: bool = True


def transaction(step: Step, settings: Settings, timeout: float) -> Talk[list[Rows]]:
    """One transaction, in one message.

    The server gives up before the client does, so that most timeouts have a known outcome.

    Raises:
        Unavailable: There is too little time for that.
    """
    if step.write and timeout < _LEAST_TIME:
        raise Unavailable(f"{timeout * 1000:.0f} ms are too short for a change to begin; nothing was changed")
    head = [_begin(step), *_bounds(step, settings, timeout)]
    body, params = _joined(step.statements)
    return (yield Message("; ".join([*head, body, "COMMIT"]), params, step.write))


def _begin(step: Step) -> str:
    # Chosen here, whatever the server's default is. A write locks before it decides, and sees what is there once it
    # has the lock; a read of several statements sees one instant.
    return f"BEGIN ISOLATION LEVEL {'READ COMMITTED' if step.write else 'REPEATABLE READ READ ONLY'}"


def _bounds(step: Step, settings: Settings, timeout: float) -> list[str]:
    longest = max(1, round(1000 * max(timeout / 2, min(timeout * 0.9, timeout - 0.1))))
    bounds = [f"SET LOCAL statement_timeout = {longest}"]
    if step.write and not step.durable:
        bounds.append("SET LOCAL synchronous_commit = off")
    elif step.write and settings.relaxed:
        bounds.append("SET LOCAL synchronous_commit = on")
    return bounds


def _joined(statements: tuple[Statement, ...]) -> tuple[str, tuple[Any, ...]]:
    return "; ".join(sql for sql, _ in statements), tuple(param for _, params in statements for param in params)
