"""What is said on the caller's connection, decided without any I/O: statements out, rows in."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from seawall.distributed.transactions.barrier._machine import NOTHING, Passage, out_of_order, passed
from seawall.distributed.transactions.barrier._sql import POSTGRES, POSTGRES_LOCK, POSTGRES_LOOK, Dialect, Statement
from seawall.errors import ConfigError

R = TypeVar("R")
Rows = list[tuple[Any, ...]]
Talk = Generator[Statement, Rows, R]


def entering(dialect: Dialect, transaction_id: str, branch: str, operation: str) -> Talk[Passage]:
    """Pass the barrier."""
    key = (transaction_id, branch)
    on_nothing = passed(NOTHING, operation)
    first = NOTHING if on_nothing is None else on_nothing[1]
    ((state, calls, result),) = yield Statement(dialect.enter, (*key, first))
    before = NOTHING if calls == 1 else _text(state)
    decided = passed(before, operation)
    if decided is None:
        raise out_of_order(transaction_id, branch, operation, before)
    verdict, after = decided
    if after != _text(state):
        yield Statement(dialect.move, (after, *key))
    return Passage(verdict, None if result is None else bytes(result))


def keeping(dialect: Dialect, transaction_id: str, branch: str, operation: str, result: bytes) -> Talk[None]:
    """Keep a result in the row of a try or action."""
    rows = yield Statement(dialect.keep, (result, transaction_id, branch, operation))
    if not rows:
        raise ConfigError(
            f"there is nothing to keep for {operation} of branch {branch!r} of transaction {transaction_id!r}: call "
            "within() first, in the same transaction, and keep a result only when it says that the operation runs"
        )


def cleaning(dialect: Dialect, older_than: float, limit: int, unfinished: bool) -> Talk[int]:
    """Forget old rows."""
    rows = yield Statement(dialect.clean, (older_than, unfinished, limit))
    return int(rows[0][0]) if dialect is POSTGRES else len(rows)


def creating(dialect: Dialect) -> Talk[None]:
    """Create the table."""
    for sql in dialect.create:
        yield Statement(sql)


def found_or_created() -> Talk[bool]:
    """See that PostgreSQL has the table, without an error that would end the caller's transaction; whether it had.

    Raises:
        ConfigError: It is missing and this user may not create it.
    """
    ((found, may_create),) = yield Statement(POSTGRES_LOOK)
    if found:
        return True
    if not may_create:
        raise missing(POSTGRES)
    yield Statement(POSTGRES_LOCK)
    yield from creating(POSTGRES)
    return False


def missing(dialect: Dialect) -> ConfigError:
    """The error where there is no table and none can be made, with what an administrator has to run."""
    return ConfigError(
        "there is no table seawall_barrier in this database and this user cannot create it; let an administrator run: "
        + "; ".join(" ".join(sql.split()) for sql in dialect.create)
        + (
            "; GRANT SELECT, INSERT, UPDATE, DELETE ON seawall_barrier TO the user of this service"
            if dialect is POSTGRES
            else ""
        )
    )


def _text(state: str | bytes) -> str:
    return state.decode() if isinstance(state, bytes) else state
