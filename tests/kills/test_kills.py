"""SIGKILL at every place of a coordinator, relay or participant, on a SQLite file and on a PostgreSQL server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from tests.contract.backends.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
LONG = bool(os.environ.get("SEAWALL_LONG"))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own."""
    started = PostgresServer()
    started.start()
    yield started
    started.remove()


def killed(scenario: str, place: str, where: str, runs: int, stride: int) -> str:
    """What a process says whose children kill themselves; with SEAWALL_LONG at every place and more often."""
    numbers = (str(runs * 20), "1") if LONG else (str(runs), str(stride))
    command = [sys.executable, "-m", "tests.kills.lives", scenario, place, where, *numbers]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=7_200 if LONG else 600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("scenario", "runs", "stride"), [("tcc", 80, 1), ("choreography", 24, 2)])
def test_on_sqlite_nothing_is_lost_or_done_twice(tmp_path, scenario, runs, stride):
    """At the places of a few seeds, one after the other, and at places by chance of many."""
    # SIGKILL takes nothing from files in memory either, and there nobody waits for a disk.
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as directory:
        assert "killed" in killed(scenario, "sqlite", directory, runs, stride)


@pytest.mark.parametrize(("scenario", "runs", "stride"), [("tcc", 16, 3), ("choreography", 6, 7)])
def test_on_postgres_nothing_is_lost_or_done_twice(server, scenario, runs, stride):
    """The server outlives its clients, and ends what they had sent."""
    database = f"kills_{scenario}"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    where = f"{server.url(database)}|{server.conninfo(database)}"
    assert "killed" in killed(scenario, "postgres", where, runs, stride)
