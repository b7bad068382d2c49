"""The schema that seawall keeps to itself: made on first use, by one of however many come at once."""

from __future__ import annotations

from seawall.engines.postgres._step import Message, Rows, Settings, Talk
from seawall.engines.postgres._tables import VERSION, migration
from seawall.errors import AuthFailed, EngineError, ReadOnly, WrongVersion

_OLDEST = 130_000
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def look(settings: Settings, name: str) -> Talk[None]:
    """Find out whether a new connection's server is one we can work with.

    Raises:
        WrongVersion: It is too old, or its database is not in UTF8.
        ReadOnly: It is a standby.
    """
    ((row,),) = yield Message(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), "
        "current_setting('server_encoding'), pg_is_in_recovery(), current_setting('synchronous_commit'), "
        "pg_backend_pid()"
    )
    number, version, encoding, standby, commit, pid = row
    if number < _OLDEST:
        raise WrongVersion(f"{name} is PostgreSQL {version}; 13 or newer is needed")
    if encoding != "UTF8":
        raise WrongVersion(f"{name} is a database in {encoding}; create one with ENCODING 'UTF8'")
    if standby:
        raise ReadOnly(
            f"{name} is a standby, which takes no changes and may be behind; connect to the primary, or name all "
            "hosts with target_session_attrs=read-write"
        )
    settings.relaxed = commit == "off"
    settings.direct = settings.pid == pid


def prepare(schema: str, name: str) -> Talk[None]:
    """Create or migrate the schema; one at a time, and whoever comes second finds it done.

    Raises:
        WrongVersion: A newer seawall wrote it.
    """
    quoted = f'"{schema}"'
    version = yield from _version(schema, quoted)
    if version == VERSION:
        return
    yield Message(f"BEGIN ISOLATION LEVEL READ COMMITTED; {_LOCK}", (f"seawall schema {schema}",))
    version = yield from _version(schema, quoted)
    if version > VERSION:
        raise WrongVersion(
            f"schema {schema} of {name} was written by a newer seawall (schema {version}, this one knows {VERSION}); "
            "upgrade seawall here, or choose another schema"
        )
    if version == 0:
        yield from _create(schema, quoted)
    for number in range(version, VERSION):
        yield Message(migration(number, quoted))
    yield Message(
        f"INSERT INTO {quoted}.meta VALUES ('version', %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value; "
        "COMMIT",
        (VERSION,),
    )


def _create(schema: str, quoted: str) -> Talk[None]:
    # CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where there is one.
    rows = yield Message("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
    if not rows[0]:
        yield Message(f"CREATE SCHEMA {quoted}")
    yield Message(f"CREATE TABLE {quoted}.meta (name text PRIMARY KEY, value bigint NOT NULL)")


def _version(schema: str, quoted: str) -> Talk[int]:
    # Not to_regclass, which may remember from before the lock that there is no such table.
    rows: list[Rows] = yield Message(
        "SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = 'meta'",
        (schema,),
    )
    if not rows[0]:
        return 0
    rows = yield Message(f"SELECT value FROM {quoted}.meta WHERE name = 'version'")
    return int(rows[0][0][0]) if rows[0] else 0


def forbidden(error: EngineError, schema: str, user: str) -> EngineError:
    """The error of a user who may not do what `prepare` does, with what an administrator has to run."""
    if not isinstance(error, AuthFailed):
        return error
    return AuthFailed(
        f'{error}: run CREATE SCHEMA IF NOT EXISTS "{schema}"; GRANT USAGE, CREATE ON SCHEMA "{schema}" TO "{user}"; '
        f'and, if another user made its tables, GRANT ALL ON ALL TABLES IN SCHEMA "{schema}" TO "{user}"; '
        f'GRANT ALL ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{user}"'
    )
