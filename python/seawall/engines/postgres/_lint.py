"""Settings of a server that can lose what it has acknowledged."""

from __future__ import annotations

from seawall.engines._findings import Finding
from seawall.engines.postgres._step import Rows, Statement

STATEMENT: Statement = (
    "SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'), "
    "current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_replication)",
    (),
)


def findings(rows: Rows) -> tuple[Finding, ...]:
    """What `STATEMENT` found, judged."""
    commit, fsync, full_pages, standbys, replicas = rows[0]
    found = []
    if fsync == "off":
        found.append(_FSYNC)
    if full_pages == "off":
        found.append(_FULL_PAGES)
    if commit == "off":
        found.append(_COMMIT)
    if replicas and not standbys:
        found.append(_STANDBYS)
    return tuple(found)


_FSYNC = Finding(
    "fsync", "off", "a power cut loses or damages the whole database", "set fsync = on in postgresql.conf and reload"
)
_FULL_PAGES = Finding(
    "full_page_writes", "off", "a power cut can leave pages that are half written",
    "set full_page_writes = on in postgresql.conf and reload",
)  # fmt: skip
_COMMIT = Finding(
    "synchronous_commit", "off",
    "what was acknowledged in the last moments is lost with the server; seawall switches it on for its own durable "
    "writes, but not for transactions of yours that it joins",
    "set synchronous_commit = on in postgresql.conf, or ALTER ROLE ... SET synchronous_commit = on",
)  # fmt: skip
_STANDBYS = Finding(
    "synchronous_standby_names", "empty", "a failover to a standby loses what had not reached it, tokens included",
    "name a synchronous standby: synchronous_standby_names = 'ANY 1 (...)'",
)  # fmt: skip
