"""Settings of a PostgreSQL server that decide whether it can prepare, and what forgotten transactions cost."""

from __future__ import annotations

from typing import Any

from seawall.engines import Finding

SETTINGS = (
    "SELECT current_setting('max_prepared_transactions')::int, current_setting('max_connections')::int, "
    "pg_is_in_recovery(), (SELECT count(*) FROM pg_prepared_xacts WHERE prepared < now() - interval '1 hour'), "
    "current_setting('fsync'), current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_replication)"
)
_HOW = "ALTER SYSTEM SET max_prepared_transactions = {}; then restart the server"


def refusal(row: Any, name: str) -> str:
    """Why a server cannot take part; empty when it can."""
    most, connections, is_standby, *_ = row
    if is_standby:
        return f"participant {name!r} is a standby, which prepares nothing; connect to the primary"
    if most == 0:
        return (
            f"participant {name!r}: max_prepared_transactions must be at least 1, got 0, the server's default; "
            f"{_HOW.format(connections)}"
        )
    return ""


def findings(row: Any, name: str) -> tuple[Finding, ...]:
    """What `SETTINGS` found, judged."""
    most, connections, _, forgotten, fsync, standbys, replicas = row
    found = []
    if most == 0:
        found.append(
            Finding(
                f"max_prepared_transactions of {name}", "0", "nothing can be prepared", f"{_HOW.format(connections)}"
            )
        )
    elif most < connections:
        found.append(
            Finding(
                f"max_prepared_transactions of {name}", str(most),
                f"with {connections} connections more can want to prepare than may, and are aborted",
                _HOW.format(connections),
            )
        )  # fmt: skip
    if forgotten:
        found.append(
            Finding(
                f"pg_prepared_xacts of {name}", f"{forgotten} older than an hour",
                "they hold locks, and keep VACUUM from every row that has changed since",
                "let their coordinator recover(), or end them by hand",
            )
        )  # fmt: skip
    if fsync == "off":
        found.append(
            Finding(
                f"fsync of {name}", "off", "a power cut loses votes and commits that others have acted on",
                "set fsync = on in postgresql.conf and reload",
            )
        )  # fmt: skip
    if replicas and not standbys:
        found.append(
            Finding(
                f"synchronous_standby_names of {name}", "empty",
                "a failover loses votes and commits that had not reached the standby, though others have acted on them",
                "name a synchronous standby: synchronous_standby_names = 'ANY 1 (...)'",
            )
        )  # fmt: skip
    return tuple(found)
