"""SIGKILL at every place of a coordinator, relay or participant, on a SQLite file and on a PostgreSQL server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.backends.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
LONG = 20 if os.environ.get("SEAWALL_LONG") else 1


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own."""
    started = PostgresServer()
    started.start()
    yield started
    started.remove()


def killed(scenario: str, place: str, where: str, runs: int) -> str:
    """What a process says whose children kill themselves."""
    command = [sys.executable, "-m", "tests.kills.lives", scenario, place, where, str(runs * LONG)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600 * LONG)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("scenario", "runs"), [("tcc", 80), ("choreography", 40)])
def test_on_sqlite_nothing_is_lost_or_done_twice(tmp_path, scenario, runs):
    """At every place of a few seeds, and at places by chance of many."""
    assert "killed" in killed(scenario, "sqlite", str(tmp_path), runs)


@pytest.mark.parametrize(("scenario", "runs"), [("tcc", 40), ("choreography", 20)])
def test_on_postgres_nothing_is_lost_or_done_twice(server, scenario, runs):
    """The server outlives its clients, and ends what they had sent."""
    database = f"kills_{scenario}"
    import psycopg

    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    assert "killed" in killed(scenario, "postgres", f"{server.url(database)}|{server.conninfo(database)}", runs)
