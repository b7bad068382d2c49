"""A PostgreSQL server: for many machines, beside the service's own tables if it likes."""

from seawall.engines.postgres._engine import PostgresEngine, PostgresOptions

__all__ = ["PostgresEngine", "PostgresOptions"]
