"""etcd behind a network that fails: what a call says has happened is so, at whatever byte the connection breaks."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.contract.faces import Faced, next_event, until_reached
from tests.etcd_server import PANICS, EtcdServer

from seawall.engines import Put, open_engine
from seawall.errors import Unavailable, UnknownOutcome
from seawall.testing import BlackHole, FaultProxy, Reset

ONCE = {"operation_timeout": 10.0, "attempts": 1, "break_after": 1_000, "lint": False}


@pytest.fixture
def proxy(shared_etcd: EtcdServer) -> Iterator[FaultProxy]:
    """Stands before the server."""
    with FaultProxy(("127.0.0.1", shared_etcd.port), seed=1) as started:
        yield started


@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_what_a_call_says_is_so_wherever_the_connection_breaks(shared_etcd, proxy, runner, direction):
    """Unavailable: nothing was written; written: it is there; unknown only once all was sent."""
    namespace, said = f"t-{secrets.token_hex(8)}", Counter()
    with open_engine(shared_etcd.url, **ONCE) as direct:
        truth = direct.key_value(namespace)
        for count in range(1, 500, 9):
            key = f"k{count}"
            with proxy.fault(Reset(after_bytes=count, direction=direction)):
                engine = open_engine(proxy.url("etcd"), **ONCE)
                try:
                    Faced(engine.key_value(namespace), runner).put(key, b"x" * 50)
                except Unavailable:
                    said["nothing"] += 1
                    assert truth.get(key) is None
                except UnknownOutcome:
                    said["unknown"] += 1
                else:
                    said["written"] += 1
                    assert truth.get(key).value == b"x" * 50
                Faced(engine, runner).close()
    assert said["nothing"]
    assert said["written"]
    assert said["unknown"] or direction == "to_server"


def test_the_version_is_told_once_wherever_the_first_connection_breaks(proxy, runner, namespace, caplog):
    """Where it breaks at the question, the next connection asks again."""
    for count in range(1, 300, 20):
        caplog.clear()
        engine = open_engine(proxy.url("etcd"), **ONCE)
        kv = Faced(engine.key_value(namespace), runner)
        with proxy.fault(Reset(after_bytes=count, direction="to_client")), suppress(Unavailable):
            kv.get("a")
        assert until_reached(kv.get, "a") is None
        assert [record.getMessage() for record in caplog.records] == [f"{engine.name}: {PANICS}"]
        Faced(engine, runner).close()


def test_a_watch_goes_on_after_its_connection_was_cut(shared_etcd, proxy, runner):
    """Nothing is missed, nothing told twice."""
    namespace = f"t-{secrets.token_hex(8)}"
    with open_engine(shared_etcd.url, **ONCE) as direct, open_engine(proxy.url("etcd"), **ONCE) as engine:
        truth = direct.key_value(namespace)
        watch = Faced(engine.key_value(namespace), runner).watch(after=truth.put("a", b""), heartbeat=1)
        for number in range(5):
            revision = truth.put("a", b"%d" % number)
            assert until_reached(next_event, watch) == Put("a", b"%d" % number, revision)
            proxy.cut()
        watch.close()
        Faced(engine, runner).close()


def test_a_watch_hears_that_nothing_can_be_heard(shared_etcd, proxy, runner):
    """A connection that is open and carries nothing is no proof of life; afterwards all is told."""
    namespace = f"t-{secrets.token_hex(8)}"
    hasty = ONCE | {"operation_timeout": 0.5}
    with open_engine(shared_etcd.url, **ONCE) as direct, open_engine(proxy.url("etcd"), **hasty) as engine:
        truth = direct.key_value(namespace)
        first = truth.put("a", b"")
        watch = Faced(engine.key_value(namespace), runner).watch(after=first, heartbeat=0.3)
        assert until_reached(watch.poll) is None
        with proxy.fault(BlackHole()):
            second = truth.put("a", b"1")
            with pytest.raises(Unavailable, match=r"^the watch of '' has heard nothing from "):
                watch.poll()
        assert until_reached(next_event, watch) == Put("a", b"1", second)
        watch.close()
        Faced(engine, runner).close()
