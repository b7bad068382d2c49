"""What is SQLite's own: its errors, versions, reboots, the caller's transactions."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from seawall.clock import ManualClock
from seawall.engines import Rule, open_engine
from seawall.engines.sqlite._disk import network_of
from seawall.engines.sqlite._errors import translated
from seawall.engines.sqlite._text import below
from seawall.errors import (
    ConfigError,
    Damaged,
    Full,
    LeaseLost,
    ReadOnly,
    Unavailable,
    UnknownOutcome,
    WrongVersion,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "state.db"


def test_a_lock_held_by_another_is_waited_for_and_no_longer(path):
    """Then the error says who is to blame; nothing is half done, and the next call works."""
    with open_engine(f"sqlite:///{path}", operation_timeout=0.05) as engine:
        kv = engine.key_value()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable) as busy:
            kv.put("a", b"1")
        assert str(busy.value) == (
            f"sqlite:///{path}: database is locked: another process held the write lock for all of the time given; "
            "keep its transactions short or raise operation_timeout"
        )
        assert kv.get("a") is None
        other.execute("COMMIT")
        other.close()
        assert kv.put("a", b"1") == 1


def test_who_only_reads_opens_the_file_while_a_writer_stays(path):
    """The write lock is needed to make the tables, not to find them made."""
    with open_engine(f"sqlite:///{path}") as engine:
        engine.key_value().put("a", b"1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with open_engine(f"sqlite:///{path}", operation_timeout=0.05) as engine:
        assert engine.key_value().get("a").value == b"1"
    other.execute("COMMIT")
    other.close()


def test_tasks_that_find_no_free_thread_are_told_in_time(path):
    """The wait for a place is bounded like the wait for the lock."""
    engine = open_engine(f"sqlite:///{path}", operation_timeout=0.05, pool_size=1)
    kv = engine.key_value()
    kv.put("a", b"1")
    wire = engine._driver.wire
    release = threading.Event()
    wire._here.threads.submit(release.wait)
    try:
        with pytest.raises(
            Unavailable, match=r" was busy with other calls of this process for all of the time given; "
        ):
            asyncio.run(kv.put_async("a", b"2"))
    finally:
        release.set()
    assert kv.get("a").value == b"1"
    engine.close()


def test_a_file_of_a_newer_seawall_is_left_alone(path):
    """The error names both versions."""
    with open_engine(f"sqlite:///{path}"):
        pass
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE seawall_meta SET value = 99 WHERE name = 'version'")
    raw.close()
    with pytest.raises(WrongVersion) as refused, open_engine(f"sqlite:///{path}"):
        pass
    assert str(refused.value) == (
        f"sqlite:///{path} was written by a newer seawall (schema 99, this one knows 1); upgrade seawall here, or open "
        "another file"
    )


def test_what_is_no_database_is_said_to_be_damaged(path):
    """It is not overwritten."""
    path.write_bytes(b"not a database, whatever its name is" * 100)
    before = path.read_bytes()
    with pytest.raises(Damaged, match=r"file is not a database; it is no SQLite database: check the path$"):
        open_engine(f"sqlite:///{path}").check()
    assert path.read_bytes() == before


def test_a_missing_directory_is_named(tmp_path):
    """It is not created: a typing error would hide data."""
    with pytest.raises(Unavailable, match=r": there is no directory .*/none; create it$"):
        open_engine(f"sqlite:///{tmp_path}/none/x.db").check()


def failure(run) -> sqlite3.Error:
    """The error SQLite really raises."""
    with pytest.raises(sqlite3.Error) as raised:
        run()
    return raised.value


def test_a_full_disk_and_a_read_only_file_have_their_own_errors(path):
    """By SQLite's result codes."""
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("CREATE TABLE t (x)")
    raw.execute("PRAGMA max_page_count = 3")
    full = failure(lambda: raw.execute("INSERT INTO t VALUES (zeroblob(100000))"))
    raw.close()
    assert isinstance(translated(full, "x"), Full)
    assert str(translated(full, "x")) == ("x: database or disk is full; free space on its disk; nothing was changed")
    raw = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    read_only = failure(lambda: raw.execute("INSERT INTO t VALUES (1)"))
    raw.close()
    assert isinstance(translated(read_only, "x"), ReadOnly)


def test_an_io_error_in_a_commit_leaves_the_outcome_unknown():
    """Before the commit nothing was changed."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = 10 | 4 << 8  # SQLITE_IOERR_FSYNC
    assert isinstance(translated(error, "x", committing=True), UnknownOutcome)
    assert isinstance(translated(error, "x"), Unavailable)


def test_leases_and_limits_live_through_a_reboot(path):
    """The clock begins again: what was left is still left, time while the machine was off is not counted."""
    rule = Rule.token_bucket(1, per=100, burst=1)
    before = ManualClock(50_000.0)
    with open_engine(f"sqlite:///{path}", clock=before) as engine:
        kv = engine.key_value()
        lease = kv.grant(10)
        kv.put("mine", b"1", lease=lease)
        engine.journal().first_time("in", "m", window=10)
        assert engine.meter().update("k", rule).admitted
        before.advance(4)
        kv.put("other", b"1")
    after = ManualClock(3.0)
    with open_engine(f"sqlite:///{path}", clock=after) as engine:
        kv, journal, meter = engine.key_value(), engine.journal(), engine.meter()
        assert kv.get("mine").value == b"1"
        after.advance(5.9)
        assert kv.get("mine").value == b"1"
        assert journal.first_time("in", "m", window=10) is False
        assert meter.update("k", rule).retry_after == pytest.approx(90.1)
        after.advance(0.2)
        with pytest.raises(LeaseLost):
            kv.keep_alive(lease)
        assert journal.first_time("in", "m", window=10) is True


def test_an_outbox_and_an_inbox_join_the_callers_transaction(path):
    """They exist exactly when it commits, on both faces."""
    with open_engine(f"sqlite:///{path}") as engine:
        journal = engine.journal()
        own = sqlite3.connect(path, isolation_level=None)
        own.execute("CREATE TABLE orders (id)")
        own.execute("BEGIN IMMEDIATE")
        own.execute("INSERT INTO orders VALUES (1)")
        journal.append_within(own, "outbox", b"order 1")
        assert journal.first_time_within(own, "inbox", "m1", window=60) is True
        own.execute("ROLLBACK")
        assert journal.scan("outbox") == ()
        own.execute("BEGIN IMMEDIATE")
        assert journal.first_time_within(own, "inbox", "m1", window=60) is True
        asyncio.run(journal.append_within_async(own, "outbox", b"order 1"))
        own.execute("COMMIT")
        own.close()
        assert [record.data for record in journal.scan("outbox")] == [b"order 1"]
        assert journal.first_time("inbox", "m1", window=60) is False


def test_without_a_transaction_nothing_joins(path):
    """An outbox outside a transaction would be none."""
    with open_engine(f"sqlite:///{path}") as engine:
        own = sqlite3.connect(path)
        with pytest.raises(ConfigError, match=r"^transaction must be a sqlite3.Connection inside a transaction, got "):
            engine.journal().append_within(own, "outbox", b"")
        own.close()
    with pytest.raises(ConfigError) as refused:
        open_engine("memory://").journal().append_within(None, "outbox", b"x")
    assert str(refused.value) == (
        "memory:// cannot join the transaction of NoneType (stream 'outbox', 1 records); use an engine that is "
        "transactional, see docs/reference/engines.md"
    )


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/fast xfs rw 0 0
//nas/share /mnt/two\\040words cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("/var/x.db", None),
        ("/home/me/x.db", "nfs4"),
        ("/homework/x.db", None),
        ("/home/fast/x.db", None),
        ("/mnt/two words/x.db", "cifs"),
    ],
)
def test_network_disks_are_known_by_their_mount(place, found):
    """The longest mount above the file counts."""
    assert network_of(Path(place), MOUNTS) == found


def test_a_file_on_a_network_disk_is_warned_about(path, monkeypatch):
    """Once, when the engine is opened."""
    monkeypatch.setattr("seawall.engines.sqlite._engine.network_of", lambda path: "nfs4")
    engine = open_engine(f"sqlite:///{path}")
    assert [finding.value for finding in engine.lint()] == ["nfs4"]
    with pytest.warns(RuntimeWarning, match=r"the file system is nfs4: locks over a network lose changes"), engine:
        pass


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ("key >= ?", ("",))),
        ("ab", ("key >= ? AND key < ?", ("ab", "ac"))),
        ("\ud7ff", ("key >= ? AND key < ?", ("\ud7ff", "\ue000"))),
        ("a\U0010ffff", ("key >= ? AND key < ?", ("a\U0010ffff", "b"))),
        ("\U0010ffff", ("key >= ?", ("\U0010ffff",))),
    ],
)
def test_prefixes_are_ranges_of_code_points(prefix, expected):
    """Without surrogates, and to the end where there is nothing above."""
    assert below("key", prefix) == expected


def test_closing_leaves_no_thread_and_no_connection(path):
    """Nothing that would warn at exit."""
    before = threading.active_count()
    engine = open_engine(f"sqlite:///{path}")
    asyncio.run(engine.key_value().put_async("a", b"1"))
    engine.close()
    assert threading.active_count() == before
    assert engine._driver.wire._here.idle == []


def test_a_cancelled_call_that_has_not_begun_is_never_made(path):
    """Only what runs already goes on to its end."""
    engine = open_engine(f"sqlite:///{path}", pool_size=1)
    kv = engine.key_value()
    kv.put("a", b"1")
    release = threading.Event()
    engine._driver.wire._here.threads.submit(release.wait)

    async def main() -> None:
        task = asyncio.create_task(kv.put_async("a", b"2"))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    try:
        asyncio.run(main())
    finally:
        release.set()
    engine.close()  # after whatever was queued
    with open_engine(f"sqlite:///{path}") as again:
        assert again.key_value().get("a").value == b"1"


def test_threads_beyond_the_pool_wait_their_turn(path):
    """Sixteen threads over two connections lose nothing."""
    with open_engine(f"sqlite:///{path}", pool_size=2, durability="os", operation_timeout=30) as engine:
        journal = engine.journal()
        threads = [threading.Thread(target=lambda: [journal.append("s", b"x") for _ in range(10)]) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(journal.scan("s")) == 160
        assert len(engine._driver.wire._here.idle) <= 2
