"""What SQLite's errors mean."""

from __future__ import annotations

import sqlite3

from seawall.errors import AuthFailed, Damaged, EngineError, Full, ReadOnly, Unavailable, UnknownOutcome

# The lowest byte of a result code; https://www.sqlite.org/rescode.html
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _PROTOCOL, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 15, 26
_PERM, _AUTH = 3, 23


def translated(error: sqlite3.Error, name: str, *, committing: bool = False) -> EngineError:
    """The error for callers; `committing`: it came from COMMIT, which may have reached the disk or not."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    says = f"{name}: {error}"
    if code in (_BUSY, _LOCKED, _PROTOCOL):
        return Unavailable(
            f"{says}: another process held the write lock for all of the time given; keep its transactions short or "
            "raise operation_timeout"
        )
    if code == _IOERR and committing:
        return UnknownOutcome(f"{says} while committing; read the state before you decide, and see to the disk")
    kind, remedy = _MEANING.get(code, (EngineError, "see the cause"))
    return kind(f"{says}; {remedy}")


_MEANING: dict[int, tuple[type[EngineError], str]] = {
    _READONLY: (ReadOnly, "give this user write permission on the file and on its directory (WAL needs both)"),
    _IOERR: (Unavailable, "see to the disk"),
    _CORRUPT: (Damaged, "restore it from a backup; do not delete its -wal file, which holds committed changes"),
    _NOTADB: (Damaged, "it is no SQLite database: check the path"),
    _FULL: (Full, "free space on its disk; nothing was changed"),
    _CANTOPEN: (Unavailable, "see that its directory exists and may be written to"),
    _PERM: (AuthFailed, "give this user permission"),
    _AUTH: (AuthFailed, "give this user permission"),
}
