"""The barrier one operation of one branch passes before it changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from seawall.distributed.transactions.barrier._checks import name_of, operation_of, result_of
from seawall.distributed.transactions.barrier._joined import joined, joined_async
from seawall.distributed.transactions.barrier._machine import UNDONE_BY, Passage
from seawall.distributed.transactions.barrier._sql import Dialect
from seawall.distributed.transactions.barrier._talks import Talk, entering, keeping
from seawall.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Barrier:
    """Lets an operation of a branch run once, in its turn or never, by a row in the database that it changes.

    Guarantees: of any number of calls, also at the same time, one try or action runs, and after it one confirm or one
    cancel or compensation, each exactly when its transaction commits. A cancel or compensation of what never ran does
    nothing and refuses what comes after it. `READ COMMITTED` is enough: whoever comes while another holds the row
    waits for its commit or rollback. Under `REPEATABLE READ` and above the one who waited may get the database's
    serialization error instead, and is right when the transaction is tried again. All of it lasts as long as the rows
    do (`BarrierTable.clean`).

    Thread safety: yes; a connection has the rules of its library.

    Cost: one statement for a try or action, two for what follows it; on PostgreSQL one more for a connection's first.

    Args:
        transaction_id: Of the whole, the same in all its services; 1 to 512 bytes.
        branch: Unique in the transaction; 1 to 512 bytes.
        operation: `try`, `confirm` or `cancel` of a TCC; `action` or `compensation` of a saga.

    Source: the sub-transaction barrier of DTM (https://en.dtm.pub/practice/barrier.html).

    Example:
        >>> import sqlite3
        >>> shop = sqlite3.connect(":memory:")
        >>> _ = shop.execute("CREATE TABLE stock (item, free)")
        >>> with shop:
        ...     if Barrier("order-1", "stock", "try").within(shop):
        ...         _ = shop.execute("INSERT INTO stock VALUES ('pen', 7)")
        >>> with shop:
        ...     Barrier("order-1", "stock", "try").within(shop).verdict
        <Verdict.duplicate: 'duplicate'>
    """

    HEADERS: ClassVar[tuple[str, str, str]] = ("seawall-transaction", "seawall-branch", "seawall-operation")

    transaction_id: str
    branch: str
    operation: str

    def __post_init__(self) -> None:
        name_of(self.transaction_id, "transaction_id")
        name_of(self.branch, "branch")
        operation_of(self.operation)

    def within(self, transaction: Any) -> Passage:
        """Ask, inside the caller's own transaction; true when the operation is to run in it.

        Args:
            transaction: A sqlite3.Connection or psycopg.Connection inside a transaction, or one that begins one by
                itself. The table `seawall_barrier` is made when it is missing.

        Raises:
            ConfigError: No such connection, or no table and no right to make one; the message has the SQL.
            OutOfOrder: The operation can never follow on what ran before, such as a confirm after a cancel.
        """
        return joined(transaction, self._entering)

    async def within_async(self, transaction: Any) -> Passage:
        """`within` for a psycopg.AsyncConnection, or a sqlite3.Connection."""
        return await joined_async(transaction, self._entering)

    def keep(self, transaction: Any, result: bytes) -> None:
        """Keep the result of a try or action: duplicates, and what follows it, find it in `Passage.result`.

        Args:
            transaction: The same as for `within`, which has said that the operation runs.
            result: At most a million bytes.

        Raises:
            ConfigError: The operation is none that has a result, or has not run.
        """
        joined(transaction, partial(self._keeping, result=self._checked(result)))

    async def keep_async(self, transaction: Any, result: bytes) -> None:
        """`keep` for a psycopg.AsyncConnection, or a sqlite3.Connection."""
        await joined_async(transaction, partial(self._keeping, result=self._checked(result)))

    def headers(self) -> dict[str, str]:
        """What a request to the branch's service carries, so that it passes the same barrier there."""
        values = (self.transaction_id, self.branch, self.operation)
        return {name: quote(value, safe="/:") for name, value in zip(self.HEADERS, values, strict=True)}

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Barrier:
        """The barrier of a request.

        Args:
            headers: By name, in any case.

        Raises:
            ConfigError: One is missing or malformed.
        """
        found = {name.lower(): value for name, value in headers.items()}
        for name in cls.HEADERS:
            if name not in found:
                raise ConfigError(f"the request has no header {name}; it is not an operation of a transaction")
        return cls(*(unquote(found[name]) for name in cls.HEADERS))

    def _entering(self, dialect: Dialect) -> Talk[Passage]:
        return entering(dialect, self.transaction_id, self.branch, self.operation)

    def _keeping(self, dialect: Dialect, result: bytes) -> Talk[None]:
        return keeping(dialect, self.transaction_id, self.branch, self.operation, result)

    def _checked(self, result: bytes) -> bytes:
        if self.operation not in UNDONE_BY:
            raise ConfigError(f"only a try or an action keeps a result, got operation {self.operation!r}")
        return result_of(result)
