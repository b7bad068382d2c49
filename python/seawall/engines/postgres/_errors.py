"""What the server's errors mean, by SQLSTATE.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import re

from seawall.errors import (
    AuthFailed,
    Damaged,
    EngineError,
    Full,
    ReadOnly,
    Unavailable,
    UnknownOutcome,
    WrongVersion,
)

_STATES: tuple[tuple[str, type[EngineError], str], ...] = (
    ("25006", ReadOnly, "connect to the primary, or switch off default_transaction_read_only"),
    ("28", AuthFailed, "see to user, password and pg_hba.conf"),
    ("42501", AuthFailed, "grant this user the right"),
    ("53100", Full, "free space on the server's disk; nothing was changed"),
    ("53", Unavailable, "the server is short of resources; raise its limits or lower pool_size"),
    ("40", Unavailable, "another transaction was in the way; nothing was changed"),
    ("57014", Unavailable, "nothing was changed; raise operation_timeout, or see what holds it up"),
    ("55P03", Unavailable, "nothing was changed; see what holds the lock"),
    ("57P", Unavailable, "the server is starting or stopping"),
    ("08", Unavailable, "see that the server runs and can be reached"),
    ("25P03", Unavailable, "this process was too slow within a transaction; nothing was changed"),
    ("58", Unavailable, "see to the server's disk"),
    ("XX001", Damaged, "restore it from a backup"),
    ("XX002", Damaged, "REINDEX, and look for a failing disk"),
    ("3F000", Damaged, "its schema has been dropped or is in another database; restore it, or open the engine again"),
    ("42P01", Damaged, "a table of its schema is missing; restore it, or drop the schema to begin anew"),
    ("42883", Damaged, "a function of its schema is missing; restore it, or drop the schema to begin anew"),
    ("0A000", WrongVersion, "upgrade the server"),
)

# A refused connection has no SQLSTATE in the client library, only the server's words.
_REFUSALS = (
    (re.compile("password authentication failed|no password supplied|pg_hba.conf|authentication failed|fe_sendauth"),
     AuthFailed, "see to user, password and pg_hba.conf"),
    (re.compile('role ".*" does not exist|is not permitted to log in|permission denied for database'),
     AuthFailed, "see to the user"),
    (re.compile("session is read-only"),
     Unavailable, "none of the hosts takes changes: start the primary, or promote a standby"),
    (re.compile('database ".*" does not exist'), EngineError, "create it, or correct the URL"),
)  # fmt: skip


def translated(state: str | None, text: str, name: str) -> EngineError:
    """The error for a statement that the server refused: nothing was changed."""
    says = f"{name}: {_first_line(text)}"
    for prefix, kind, remedy in _STATES:
        if state is not None and state.startswith(prefix):
            return kind(f"{says}; {remedy}")
    return EngineError(f"{says} (SQLSTATE {state}); see the cause")


def refused(text: str, name: str) -> EngineError:
    """The error for a connection that could not be opened."""
    says = f"{name}: {_first_line(text)}"
    for words, kind, remedy in _REFUSALS:
        if words.search(text):
            return kind(f"{says}; {remedy}")
    return Unavailable(f"{says}; see that the server runs and can be reached")


def broken(text: str, name: str, *, may_change: bool) -> EngineError:
    """The error for an answer that never came."""
    says = f"{name}: {_first_line(text)}"
    if may_change:
        return UnknownOutcome(f"{says}; the change may have been made or not, read the state before you decide")
    return Unavailable(f"{says}; nothing was changed")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "the connection was lost").rstrip(".;")
