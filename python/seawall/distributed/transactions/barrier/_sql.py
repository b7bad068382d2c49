"""The table of the barrier, and what is said to it, in the words of each database."""

from __future__ import annotations

from typing import Any, NamedTuple

TABLE = "seawall_barrier"


class Statement(NamedTuple):
    """SQL and its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


class Dialect(NamedTuple):
    """One database's words.

    Attributes:
        create: What an administrator runs where users may not create tables.
        enter: (transaction, branch, state) -> (state, calls, result): makes the row, or finds it and locks it.
        move: (state, transaction, branch): the next state of a row that is locked.
        keep: (result, transaction, branch, state) -> a row when it is there.
        clean: (seconds, also unfinished, limit) -> how many.
    """

    create: tuple[str, ...]
    enter: str
    move: str
    keep: str
    clean: str


POSTGRES = Dialect(
    create=(
        f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    transaction_id text COLLATE "C" NOT NULL,
    branch text COLLATE "C" NOT NULL,
    state text NOT NULL,
    calls integer NOT NULL DEFAULT 1,
    result bytea,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (transaction_id, branch))""",
        f"CREATE INDEX IF NOT EXISTS {TABLE}_by_age ON {TABLE} (changed_at)",
    ),
    # An update, and not DO NOTHING: it waits for whoever is at the row, and holds it until the commit.
    enter=(
        f"INSERT INTO {TABLE} AS b (transaction_id, branch, state) VALUES (%s, %s, %s) "
        "ON CONFLICT (transaction_id, branch) DO UPDATE SET calls = b.calls + 1 RETURNING state, calls, result"
    ),
    move=f"UPDATE {TABLE} SET state = %s, changed_at = clock_timestamp() WHERE transaction_id = %s AND branch = %s",
    keep=(f"UPDATE {TABLE} SET result = %s WHERE transaction_id = %s AND branch = %s AND state = %s RETURNING 1"),
    clean=(
        f"WITH gone AS (DELETE FROM {TABLE} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {TABLE} "
        "WHERE changed_at <= clock_timestamp() - %s * interval '1 second' AND (state <> 'try' OR %s) "
        "ORDER BY changed_at LIMIT %s FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone"
    ),
)
POSTGRES_LOOK = (
    f"SELECT to_regclass('{TABLE}') IS NOT NULL, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
)
POSTGRES_LOCK = f"SELECT pg_advisory_xact_lock(hashtextextended('{TABLE}', 0))"

_NOW = "CAST(strftime('%s', 'now') AS INTEGER)"
SQLITE = Dialect(
    create=(
        f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    transaction_id TEXT NOT NULL,
    branch TEXT NOT NULL,
    state TEXT NOT NULL,
    calls INTEGER NOT NULL DEFAULT 1,
    result BLOB,
    changed_at INTEGER NOT NULL DEFAULT ({_NOW}),
    PRIMARY KEY (transaction_id, branch)) WITHOUT ROWID""",
        f"CREATE INDEX IF NOT EXISTS {TABLE}_by_age ON {TABLE} (changed_at)",
    ),
    # As a blob the state is read the same whatever the connection's text_factory is.
    enter=(
        f"INSERT INTO {TABLE} (transaction_id, branch, state) VALUES (?, ?, ?) "
        "ON CONFLICT (transaction_id, branch) DO UPDATE SET calls = calls + 1 "
        "RETURNING CAST(state AS BLOB), calls, result"
    ),
    move=f"UPDATE {TABLE} SET state = ?, changed_at = {_NOW} WHERE transaction_id = ? AND branch = ?",
    keep=f"UPDATE {TABLE} SET result = ? WHERE transaction_id = ? AND branch = ? AND state = ? RETURNING 1",
    clean=(
        f"DELETE FROM {TABLE} WHERE (transaction_id, branch) IN (SELECT transaction_id, branch FROM {TABLE} "
        f"WHERE changed_at <= {_NOW} - ? AND (state <> 'try' OR ?) ORDER BY changed_at LIMIT ?) RETURNING 1"
    ),
)
