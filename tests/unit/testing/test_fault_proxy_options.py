"""What a fault proxy says of wrong options, and how it shows itself."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from seawall.errors import ConfigError
from seawall.testing import (
    Bandwidth,
    BlackHole,
    Corrupt,
    Cut,
    Fault,
    FaultPlan,
    FaultProxy,
    FaultStep,
    HalfClose,
    Latency,
    Pause,
    Refuse,
    Reset,
    SlowClose,
    Stall,
    Truncate,
)

NOWHERE = ("127.0.0.1", 9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Latency(-1), "seconds must be 0 to 86400 s, got -1; delay of what is sent"),
        (lambda: Latency(1, jitter="some"), "jitter must be 0 to 86400 s, got 'some'; chance in the delay"),
        (
            lambda: Latency(1, distribution="pareto"),
            "distribution must be one of 'uniform', 'normal', 'exponential', got 'pareto'; how the jitter is spread",
        ),
        (lambda: Latency(1, chunks=2), "chunks must be 0 to 1, got 2; share of chunks that are late, by the seed"),
        (lambda: Bandwidth(0), "bytes_per_second must be 1 to 1000000000000 B/s, got 0; what the line carries"),
        (
            lambda: Reset(after_bytes=1.5),
            "after_bytes must be a whole number, 0 to 1099511627776 or None, got 1.5; bytes that pass before",
        ),
        (lambda: Reset(after=-1), "after must be 0 to 86400 s or None, got -1; time that passes before"),
        (
            lambda: BlackHole(direction="up"),
            "direction must be one of 'to_server', 'to_client', 'both', got 'up'; the way it is on",
        ),
        (
            lambda: Cut(connections=1.1),
            "connections must be 0 to 1, got 1.1; share of connections that have it, by the seed",
        ),
        (
            lambda: Refuse(direction="to_client"),
            "Refuse is for all connections, got Refuse(direction='to_client'); "
            "Reset(connections=0.1) ends a share of them",
        ),
        (lambda: Corrupt(0), "rate must be above 0 to 1, got 0; share of bytes that are changed, by the seed"),
        (
            lambda: FaultStep(-1, Cut()),
            "at must be 0 to 31536000 s, got -1; when the fault is added",
        ),
        (
            lambda: FaultStep(1, Cut),
            f"fault must be a fault such as Latency(0.2), got {Cut!r}; what is added",
        ),
        (
            lambda: FaultPlan([Cut()]),
            "a plan is made of FaultStep objects, got Cut(); FaultStep(1.0, Latency(0.2))",
        ),
        (
            lambda: FaultPlan.random(1, 10, []),
            "kinds must be one or more of Bandwidth, BlackHole, Corrupt, Cut, HalfClose, Latency, Pause, Refuse, "
            "Reset, SlowClose, Stall, Truncate, got none",
        ),
        (lambda: FaultPlan.random(1, 0), "duration must be 0.001 to 31536000 s, got 0; length of the plan"),
        (
            lambda: FaultPlan.from_json("{"),
            "text must be a plan as to_json wrote it, got '{': JSONDecodeError('Expecting property name enclosed in "
            "double quotes: line 1 column 2 (char 1)')",
        ),
        (
            lambda: FaultPlan.from_json('[{"at": 1, "fault": "Fire", "options": {}, "lasts": 1}]'),
            "fault must be one of Bandwidth, BlackHole, Corrupt, Cut, HalfClose, Latency, Pause, Refuse, Reset, "
            "SlowClose, Stall, Truncate, got 'Fire'",
        ),
        (
            lambda: FaultProxy("localhost:6379"),
            "upstream must be (host, port) with a port of 1 to 65535, or a path of a unix socket with a '/' in it, "
            "got 'localhost:6379'; for example ('127.0.0.1', 6379)",
        ),
        (
            lambda: FaultProxy(("127.0.0.1", 0)),
            "upstream must be (host, port) with a port of 1 to 65535, or a path of a unix socket with a '/' in it, "
            "got ('127.0.0.1', 0); for example ('127.0.0.1', 6379)",
        ),
        (
            lambda: FaultProxy(NOWHERE, seed="x"),
            "seed must be a whole number or None, got 'x'; repeats all decisions; by default SEAWALL_SEED, "
            "else a new one",
        ),
        (
            lambda: FaultProxy(NOWHERE, max_connections=0),
            "max_connections must be 1 to 100000, got 0; more at once are reset",
        ),
        (
            lambda: FaultProxy(NOWHERE, buffer_bytes=0),
            "buffer_bytes must be 1 to 1073741824 bytes, got 0; held each way, then waits",
        ),
        (
            lambda: FaultProxy(NOWHERE).cut(),
            "the FaultProxy is new, not open; use it in `with FaultProxy(...) as proxy:`",
        ),
        (
            lambda: FaultProxy(NOWHERE).add(Latency),
            f"fault must be a fault of seawall.testing, got {Latency!r}; for example Latency(0.2)",
        ),
        (
            lambda: FaultProxy(NOWHERE).play([]),
            "plan must be a FaultPlan, got []; FaultPlan([FaultStep(1.0, Latency(0.2))])",
        ),
        (
            lambda: FaultProxy(NOWHERE, listen=("localhost", 0)).__enter__(),
            "listen must be a numeric address of this machine, got ('localhost', 0); '127.0.0.1'",
        ),
    ],
)
def test_wrong_options_say_what_is_right(make: Callable[[], object], message: str) -> None:
    """The option, the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """Is a ConfigError when the proxy is opened, and the file of another is left alone."""
    there = tmp_path / "taken"
    there.write_text("mine")
    with pytest.raises(ConfigError) as caught, FaultProxy(NOWHERE, listen=there):
        pass
    assert str(caught.value) == (
        f"listen must be an address that is free here, got '{there}': [Errno {errno.EADDRINUSE}] Address already in use"
    )
    assert there.read_text() == "mine"


def test_a_proxy_is_opened_once() -> None:
    """Afterwards it still tells what it counted, and where it was."""
    with FaultProxy(NOWHERE, seed=7) as proxy:
        assert repr(proxy) == f"FaultProxy(('127.0.0.1', 9), seed=7, address={proxy.address!r}, state='open')"
    assert proxy.stats().accepted == 0
    with pytest.raises(ConfigError) as caught, proxy:
        pass
    assert str(caught.value) == "a FaultProxy is opened once; make another one"
    with pytest.raises(ConfigError) as caught:
        proxy.add(Pause())
    assert str(caught.value) == "the FaultProxy is closed, not open; use it in `with FaultProxy(...) as proxy:`"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_a_url_of_an_ipv6_address_has_brackets() -> None:
    """As URLs want it."""
    try:
        with FaultProxy(NOWHERE, listen=("::1", 0)) as proxy:
            assert proxy.url("http", "/x") == f"http://[::1]:{proxy.address[1]}/x"
    except ConfigError:
        pytest.skip("no IPv6 here")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Latency(timedelta(seconds=1), jitter=0.5, connections=0.5), "Latency(1.0, jitter=0.5, connections=0.5)"),
        (Bandwidth(1000, direction="to_client"), "Bandwidth(1000.0, direction='to_client')"),
        (Truncate(5), "Truncate(after_bytes=5)"),
        (HalfClose(direction="both"), "HalfClose(direction='both')"),
        (Stall(1, after_bytes=2), "Stall(1.0, after_bytes=2)"),
        (SlowClose(2), "SlowClose(2.0)"),
        (BlackHole(), "BlackHole()"),
    ],
)
def test_faults_show_themselves_as_they_are_written(fault: Fault, text: str) -> None:
    """Without defaults; equal ones are equal."""
    assert repr(fault) == text
    assert eval(text) == fault
    assert hash(eval(text)) == hash(fault)


def test_a_drawn_plan_keeps_to_the_kinds_asked_for() -> None:
    """In whatever order they are named."""
    plan = FaultPlan.random(3, 60, [Cut, Latency], count=30)
    assert {type(step.fault) for step in plan} == {Cut, Latency}
    assert plan == FaultPlan.random(3, 60, [Latency, Cut], count=30)
    assert plan != FaultPlan.random(4, 60, [Latency, Cut], count=30)
    assert hash(plan) == hash(FaultPlan(plan))
    assert [step.at for step in plan] == sorted(step.at for step in plan)


def test_a_plan_prints_a_step_a_line() -> None:
    """With times and ends."""
    plan = FaultPlan([FaultStep(2, Cut()), FaultStep(0.5, Latency(0.1), lasts=1.5)])
    assert str(plan) == "0.500 s  Latency(0.1) for 1.5 s\n2.000 s  Cut()"
    assert plan[0].fault == Latency(0.1)
