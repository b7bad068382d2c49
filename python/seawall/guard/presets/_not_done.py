"""Which errors of a database say that the transaction had no effect."""

from __future__ import annotations

from typing import Any

from seawall.errors import classify

# Rolled back: serialization failure, deadlock. Never begun: too many connections, starting up, connection refused.
# Not 40003, "completion unknown", nor the other codes of class 08.
_SQLSTATES = frozenset({"40001", "40P01", "53300", "57P03", "08001", "08004"})
_MYSQL = frozenset({1213, 1040, 2003})
_SQLITE = frozenset({5, 6})  # busy, locked


def is_not_done(error: Exception) -> bool:
    """Whether a transaction that failed with `error` surely had no effect, and may be worth repeating.

    True for serialization failures, deadlocks and connections that were never made (by SQLSTATE, MySQL's or SQLite's
    number, seen through the errors of SQLAlchemy), and for refusals of guards that are worth repeating. False for all
    that is not known, such as a connection lost on the way.

    Example:
        >>> is_not_done(ConnectionRefusedError()), is_not_done(ConnectionResetError())
        (True, False)
    """
    if isinstance(error, ConnectionRefusedError):
        return True
    found = classify(error)
    if found.refused:
        return found.is_retryable
    driver = getattr(error, "orig", None) or error
    return _state(driver) in _SQLSTATES or _mysql(driver) in _MYSQL or _sqlite(driver) in _SQLITE


def _state(driver: Any) -> Any:
    found = getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None)
    return found if isinstance(found, str) else None


def _mysql(driver: Any) -> Any:
    if type(driver).__module__.partition(".")[0] not in ("pymysql", "MySQLdb", "mysql", "aiomysql", "asyncmy"):
        return None
    number = driver.args[0] if driver.args else None
    return number if isinstance(number, int) else None


def _sqlite(driver: Any) -> Any:
    code = getattr(driver, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
