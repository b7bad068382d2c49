"""Tables, their version, and the time in them."""

from __future__ import annotations

import sqlite3
from typing import Any

from seawall.engines._ports import State, shifted
from seawall.errors import WrongVersion

# All names begin with seawall_, so that a service may keep this in its own database and join its transactions.
MIGRATIONS = (
    """
    CREATE TABLE seawall_namespaces (
        namespace TEXT PRIMARY KEY,
        revision INTEGER NOT NULL DEFAULT 0, told_from INTEGER NOT NULL DEFAULT 0,
        lease INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE seawall_entries (
        namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, revision INTEGER NOT NULL, lease TEXT,
        PRIMARY KEY (namespace, key));
    CREATE INDEX seawall_entries_by_lease ON seawall_entries (namespace, lease) WHERE lease IS NOT NULL;
    CREATE TABLE seawall_history (
        namespace TEXT NOT NULL, revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB,
        PRIMARY KEY (namespace, revision));
    CREATE TABLE seawall_leases (
        namespace TEXT NOT NULL, id TEXT NOT NULL, ttl_ns INTEGER NOT NULL, ends_ns INTEGER NOT NULL,
        PRIMARY KEY (namespace, id));
    CREATE INDEX seawall_leases_by_end ON seawall_leases (namespace, ends_ns);
    CREATE TABLE seawall_records (
        namespace TEXT NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL,
        token INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,
        ends_ns INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (namespace, stream, position));
    CREATE TABLE seawall_claims (
        namespace TEXT NOT NULL, stream TEXT NOT NULL, token INTEGER NOT NULL, ends_ns INTEGER NOT NULL,
        PRIMARY KEY (namespace, stream));
    CREATE INDEX seawall_claims_by_end ON seawall_claims (namespace, ends_ns);
    CREATE TABLE seawall_seen (
        namespace TEXT NOT NULL, inbox TEXT NOT NULL, message TEXT NOT NULL, ends_ns INTEGER NOT NULL,
        PRIMARY KEY (namespace, inbox, message));
    CREATE INDEX seawall_seen_by_end ON seawall_seen (namespace, ends_ns);
    CREATE TABLE seawall_limits (
        namespace TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, ends_ns INTEGER NOT NULL,
        PRIMARY KEY (namespace, key));
    CREATE INDEX seawall_limits_by_end ON seawall_limits (namespace, ends_ns);
    """,
)
VERSION = len(MIGRATIONS)
# A monotonic clock that shows less than before has begun again, whatever its boot is called.
_NO_STEP_NS = 1_000_000_000
_TIMED = ("seawall_leases", "seawall_records", "seawall_claims", "seawall_seen", "seawall_limits")


def is_prepared(connection: sqlite3.Connection, boot: str, now: int) -> bool:
    """Whether there is nothing to create, to migrate or to move; asks for no lock that a writer holds."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'seawall_meta'").fetchall():
        return False
    known = dict(connection.execute("SELECT name, value FROM seawall_meta"))
    if (known.get("version"), known.get("boot")) != (VERSION, boot):
        return False
    return not _has_begun_again(known, boot, now)


def _has_begun_again(known: dict[str, Any], boot: str, now: int) -> bool:
    return "boot" in known and (known["boot"] != boot or now < int(known["now_ns"]) - _NO_STEP_NS)


def prepare(connection: sqlite3.Connection, name: str, boot: str, now: int) -> None:
    """Create or migrate the tables, and bring their times to this boot's clock; inside a write transaction.

    Raises:
        WrongVersion: A newer seawall wrote them.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS seawall_meta (name TEXT PRIMARY KEY, value)")
    known = dict(connection.execute("SELECT name, value FROM seawall_meta"))
    version = int(known.get("version", 0))
    if version > VERSION:
        raise WrongVersion(
            f"{name} was written by a newer seawall (schema {version}, this one knows {VERSION}); upgrade seawall "
            "here, or open another file"
        )
    shift = 0
    for script in MIGRATIONS[version:]:
        for statement in filter(str.strip, script.split(";")):
            connection.execute(statement)
    if _has_begun_again(known, boot, now):
        shift = now - int(known["now_ns"])
        _carry_limits(connection, shift // 1000)
        for table in _TIMED:
            connection.execute(f"UPDATE {table} SET ends_ns = ends_ns + ?", (shift,))
    if (version, known.get("boot")) != (VERSION, boot) or shift:
        connection.executemany(
            "INSERT INTO seawall_meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [("version", VERSION), ("boot", boot), ("now_ns", now)],
        )


def _carry_limits(connection: sqlite3.Connection, by_us: int) -> None:
    rows = connection.execute("SELECT rowid, state FROM seawall_limits").fetchall()
    connection.executemany(
        "UPDATE seawall_limits SET state = ? WHERE rowid = ?",
        [(to_text(shifted(from_text(state), by_us)), row) for row, state in rows],
    )


def to_text(state: State) -> str:
    """The state of a limit as it is stored."""
    return " ".join(map(str, state))


def from_text(text: str) -> State:
    """`to_text`, read back."""
    return tuple(map(int, text.split()))


def stamp(connection: sqlite3.Connection, now: int) -> None:
    """Remember how late it is, so that the next boot knows where this one's clock stood."""
    connection.execute("UPDATE seawall_meta SET value = max(value, ?) WHERE name = 'now_ns'", (now,))
