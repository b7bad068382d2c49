"""The durable default: one file, any number of processes of one machine."""

from seawall.engines.sqlite._engine import SqliteEngine, SqliteOptions

__all__ = ["SqliteEngine", "SqliteOptions"]
