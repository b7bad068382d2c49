"""A file that may not be written, has no room, is not there, or is held by a process that sleeps."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.freezing import freeze

from seawall.engines import Rule, open_engine
from seawall.errors import AuthFailed, EngineError, Full, ReadOnly, SeawallError, Unavailable, UnknownOutcome

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path() -> Iterator[Path]:
    """A file with something in it, below a directory that everybody may enter."""
    directory = Path(tempfile.mkdtemp(prefix="sw-lite-", dir="/tmp"))
    directory.chmod(0o777)
    with open_engine(f"sqlite:///{directory}/state.db") as engine:
        engine.key_value().put("a", b"1")
        engine.journal().append("s", b"1")
    yield directory / "state.db"
    directory.chmod(0o777)
    shutil.rmtree(directory)


def state(path: Path) -> tuple[Any, ...]:
    """All that can be seen of it."""
    with open_engine(f"sqlite:///{path}") as engine:
        kv, journal = engine.key_value(), engine.journal()
        return kv.list(), journal.scan("s"), journal.streams(unclaimed=True)


def apart(work: Callable[[], Any]) -> Any:
    """What a process that is nobody special answers or raises; root may write what nobody may."""
    answers = FORK.SimpleQueue()

    def run() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65_534)
            os.setuid(65_534)
        try:
            answers.put(work())
        except BaseException as error:  # noqa: BLE001 - told to whoever asked
            answers.put(error)

    child = FORK.Process(target=run)
    child.start()
    answer = answers.get()
    child.join(30)
    return answer


def changes(path: Path) -> list[Any]:
    """What a process answers or raises that reads and then changes."""
    told: list[Any] = []
    with open_engine(f"sqlite:///{path}") as engine:
        kv, journal = engine.key_value(), engine.journal()
        for call in (
            lambda: kv.get("a").value,
            lambda: kv.put("a", b"2"),
            lambda: journal.append("s", b"2"),
            lambda: journal.claim("s", "me", 60),
            lambda: engine.meter().update("k", Rule.token_bucket(1)),
        ):
            try:
                told.append(call())
            except SeawallError as error:
                told.append(error)
    return told


def test_a_file_that_may_not_be_written_can_be_read(path):
    """Each change is ReadOnly and says what to do; nothing is changed."""
    before = state(path)
    path.chmod(0o444)
    keeper = sqlite3.connect(path)  # somebody has it open: its -wal and -shm are there
    keeper.execute("SELECT count(*) FROM seawall_entries").fetchone()
    for beside in path.parent.glob("state.db-*"):
        beside.chmod(0o644)
    value, *refused = apart(lambda: changes(path))
    keeper.close()
    assert value == b"1"
    assert [type(error) for error in refused] == [ReadOnly] * 4
    assert str(refused[0]) == (
        f"sqlite:///{path}: attempt to write a readonly database; give this user write permission on the file and on "
        "its directory (WAL needs both)"
    )
    assert state(path) == before


def test_a_directory_that_may_not_be_written_is_said_to_be_one(path):
    """The write-ahead log would have to be made there."""
    before = state(path)
    path.chmod(0o666)
    path.parent.chmod(0o555)
    error = apart(lambda: changes(path))
    path.parent.chmod(0o777)
    assert isinstance(error, ReadOnly), error
    # SQLite's own words differ between its versions.
    assert str(error).startswith(f"sqlite:///{path}: ")
    assert str(error).endswith("; give this user write permission on the file and on its directory (WAL needs both)")
    assert state(path) == before


def test_a_file_that_may_not_even_be_read_is_told(path):
    """With its name and what to do."""
    path.chmod(0o000)
    error = apart(lambda: changes(path))
    path.chmod(0o644)
    assert isinstance(error, AuthFailed), error
    assert str(error) == (
        f"sqlite:///{path}: unable to open database file; give this user permission to read and write the file"
    )


def test_a_file_that_has_no_room_is_full(path):
    """Whatever does not fit is Full and undone; what fits goes on."""
    with open_engine(f"sqlite:///{path}", pool_size=1) as engine:
        kv, journal = engine.key_value(), engine.journal()
        engine._driver.wire._here.idle[0].execute("PRAGMA max_page_count = 60")
        before = state(path)
        for change in (lambda: kv.put("big", os.urandom(900_000)), lambda: journal.append("s", os.urandom(900_000))):
            with pytest.raises(Full) as full:
                change()
            assert str(full.value) == (
                f"sqlite:///{path}: database or disk is full; free space on its disk; nothing was changed"
            )
        assert state(path) == before
        assert kv.put("small", b"1") == before[0].revision + 1


def test_a_process_whose_files_may_not_grow_says_so(path):
    """RLIMIT_FSIZE: the log cannot take the change; afterwards it is there or it is not, as the error says."""
    before = state(path)

    def grow() -> list[Any]:
        with open_engine(f"sqlite:///{path}") as engine:
            kv, told = engine.key_value(), []
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
            for number in range(3):
                try:
                    told.append(kv.put(f"big{number}", os.urandom(900_000)))
                except EngineError as error:
                    told.append(error)
            return told

    for beside in (path, *path.parent.glob("state.db-*")):
        beside.chmod(0o666)
    told = apart(grow)
    assert all(isinstance(each, (Full, Unavailable, UnknownOutcome)) for each in told), told
    after = state(path)
    if not any(isinstance(each, UnknownOutcome) for each in told):
        assert after == before
    assert {entry.key for entry in after[0].entries} <= {"a", "big0", "big1", "big2"}
    with open_engine(f"sqlite:///{path}") as engine:
        assert engine.key_value().put("b", b"1") > before[0].revision


def test_a_process_that_sleeps_in_a_transaction_holds_nobody(path):
    """SIGSTOP with the write lock held: readers go on, writers are Unavailable in time; killed, it leaves nothing."""
    inside = FORK.Event()

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE seawall_entries SET value = x'00'")
        inside.set()
        signal.pause()

    holder = FORK.Process(target=hold)
    holder.start()
    assert inside.wait(30)
    freeze(holder.pid)
    with open_engine(f"sqlite:///{path}", operation_timeout=0.1) as engine:
        kv = engine.key_value()
        assert kv.get("a").value == b"1"
        with pytest.raises(Unavailable) as busy:
            kv.put("a", b"2")
        assert str(busy.value) == (
            f"sqlite:///{path}: database is locked: another process held the write lock for all of the time given; "
            "keep its transactions short or raise operation_timeout"
        )
        os.kill(holder.pid, signal.SIGKILL)
        holder.join(30)
        assert kv.get("a").value == b"1"
        assert kv.put("a", b"2") == 2
