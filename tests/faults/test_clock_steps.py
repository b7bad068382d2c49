"""Leases, claims and limits while the wall clock is stepped: what each engine declares is what happens."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.contract.backends.postgres import PostgresServer
from tests.faults.machine import Machine
from tests.valkey_server import ValkeyServer

from seawall.clock import ManualClock, SystemClock
from seawall.engines import Engine, Rule, TimeSource, open_engine
from seawall.engines.redis._call import Call
from seawall.errors import LeaseLost

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a library is put before the system's")
HOUR = 3_600.0


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """One whose clock the servers of this module go by."""
    made = Machine()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def servers(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URLs of servers on that machine."""
    valkey, postgres = ValkeyServer(tmp_path_factory.mktemp("valkey")), PostgresServer()
    valkey.environment = postgres.environment = machine.environment
    valkey.start()
    postgres.start()
    yield {"valkey": valkey.unix, "postgres": postgres.url()}
    valkey.stop()
    postgres.remove()


@pytest.fixture(params=["valkey", "postgres"])
def engine(request: pytest.FixtureRequest, servers: dict[str, str]) -> Iterator[Engine]:
    """An engine on a server whose clock is right, until the test steps it."""
    with open_engine(servers[request.param]) as opened:
        yield opened


@pytest.fixture
def namespace() -> str:
    """One of this test's own."""
    return f"c-{secrets.token_hex(6)}"


@pytest.fixture
def step(engine: Engine, machine: Machine) -> Iterator[Callable[[float], None]]:
    """Sets the server's wall clock so many seconds ahead, and returns when the server has seen it."""

    def to(ahead: float) -> None:
        machine.set_clock(ahead)
        # Valkey looks at the clock now and then only.
        while engine.name.startswith("unix:") and abs(_shown(engine) - ahead) > 60:
            SystemClock().sleep(0.005)

    to(0)
    yield to
    to(0)


def _shown(engine: Engine) -> float:
    (seconds, _), now = engine._driver.wire.execute(Call(("TIME",)), 5.0), datetime.now(UTC).timestamp()
    return int(seconds) - now


def test_a_step_forward_ends_leases_early_and_fences_hold(engine, step, namespace):
    """Declared as TimeSource.server; whoever lost a claim by it cannot write, and the next token is higher."""
    kv, journal = engine.key_value(namespace), engine.journal(namespace)
    assert kv.guarantees.clock is TimeSource.server
    lease = kv.grant(HOUR)
    revision = kv.put("a", b"1", lease=lease)
    claim = journal.claim("s", "one", HOUR)
    position = journal.append("s", b"1", claim=claim)
    with kv.watch(after=revision) as watch:
        step(HOUR + 1)
        assert kv.get("a") is None
        assert watch.poll().revision > revision
    with pytest.raises(LeaseLost):
        kv.keep_alive(lease)
    with pytest.raises(LeaseLost):
        journal.append("s", b"2", claim=claim)
    other = journal.claim("s", "two", HOUR)
    assert other.token > claim.token
    assert journal.append("s", b"2", claim=other) > position
    with pytest.raises(LeaseLost):
        journal.append("s", b"3", claim=claim)


def test_a_step_back_keeps_leases_longer_and_numbers_grow(engine, step, namespace):
    """By the step, and no promise but that of time is touched: revisions, positions and tokens go on growing."""
    kv, journal = engine.key_value(namespace), engine.journal(namespace)
    step(HOUR)
    revision, position = kv.put("a", b"1"), journal.append("s", b"1")
    token = journal.claim("other", "one", 1.0).token
    lease = kv.grant(0.1)
    kv.put("b", b"1", lease=lease)
    claim = journal.claim("s", "one", 0.1)
    step(0)
    SystemClock().sleep(0.2)
    assert kv.get("b") is not None
    assert journal.claim("s", "two", 0.1) is None
    assert journal.append("s", b"2", claim=claim) > position
    assert kv.keep_alive(lease) == lease
    assert kv.put("a", b"2") > revision
    step(HOUR + 10)
    assert journal.claim("s", "two", 0.1).token > claim.token > token
    assert kv.get("b") is None


def test_limits_refill_by_a_step_forward_and_never_by_a_step_back(engine, step, namespace):
    """A step back admits no more than the limit, and does not lock anybody out for longer than a full refill."""
    meter, rule = engine.meter(namespace), Rule.token_bucket(1, per=600, burst=2)
    assert [bool(meter.update("k", rule)) for _ in range(3)] == [True, True, False]
    step(-HOUR)
    reading = meter.update("k", rule)
    assert not reading
    assert reading.retry_after <= 1_200
    step(-HOUR + 1_300)
    assert [bool(meter.update("k", rule)) for _ in range(3)] == [True, True, False]


APART = """
import json, struct, sys
from seawall.clock import SystemClock
from seawall.engines import open_engine
from seawall.errors import LeaseLost
import time

def step(seconds):
    with open(sys.argv[2], "r+b") as file:
        file.write(struct.pack("q", round(seconds * 1e9)))

def lost(call, what):
    try:
        call(what)
    except LeaseLost:
        return True
    return False

told = {}
with open_engine(sys.argv[1]) as engine:
    kv, journal, clock = engine.key_value(), engine.journal(), SystemClock()
    lease, claim, wall = kv.grant(600), journal.claim("s", "one", 600), time.time()
    kv.put("a", b"1", lease=lease)
    step(86_400)
    told["the clock was stepped"] = time.time() - wall > 86_000
    told["lost by a step forward"] = [lost(kv.keep_alive, lease), lost(journal.renew, claim), kv.get("a") is None]
    short, brief = kv.grant(0.2), journal.claim("t", "one", 0.2)
    kv.put("b", b"1", lease=short)
    step(-86_400)
    clock.sleep(0.4)
    kept = [not lost(kv.keep_alive, short), not lost(journal.renew, brief), kv.get("b") is not None]
    told["kept by a step back"] = kept
print(json.dumps(told))
"""


@pytest.mark.parametrize("name", ["sqlite", "memory"])
def test_no_step_of_the_wall_clock_moves_a_lease(machine: Machine, tmp_path: Path, name: str):
    """In a process of its own, whose wall clock really goes a day forth and back."""
    url = "memory://" if name == "memory" else f"sqlite:///{tmp_path}/state.db"
    file = machine.environment["MACHINE_FILE"]
    try:
        ran = subprocess.run(
            [sys.executable, "-c", APART, url, file],
            env=machine.environment,
            capture_output=True,
            check=False,
            text=True,
        )
    finally:
        machine.set_clock(0)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "the clock was stepped": True,
        "lost by a step forward": [False, False, False],
        "kept by a step back": [False, False, False],
    }


@pytest.mark.parametrize("url", ["memory://", "sqlite"])
def test_a_clock_of_the_caller_decides_to_the_nanosecond(url: str, tmp_path: Path):
    """A lease lasts until its last nanosecond has passed; numbers grow also when that clock goes back."""
    clock: Any = ManualClock(1_000.0)
    with open_engine(url if url != "sqlite" else f"sqlite:///{tmp_path}/state.db", clock=clock) as engine:
        kv, journal = engine.key_value(), engine.journal()
        lease, claim = kv.grant(10), journal.claim("s", "one", 10)
        revision = kv.put("a", b"1", lease=lease)
        clock.set_ns(clock.now_ns() + 9_999_999_999)
        assert kv.get("a") is not None
        assert journal.append("s", b"1", claim=claim)
        clock.set_ns(clock.now_ns() + 1)
        assert kv.get("a") is None
        with pytest.raises(LeaseLost):
            journal.append("s", b"2", claim=claim)
        clock.set_ns(clock.now_ns() - 5_000_000_000)
        with pytest.raises(LeaseLost):
            kv.keep_alive(lease)
        assert kv.put("a", b"2") > revision
