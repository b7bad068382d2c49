"""Servers that are not there, silent, or slower than anybody waits: clear errors, in time, nothing half done.

Every engine that has a server is asked, on both faces.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.contract.backends import BACKENDS, Backend
from tests.contract.faces import Faced

from seawall.clock import SystemClock
from seawall.engines import Put, open_engine
from seawall.errors import EngineError, Unavailable, UnknownOutcome
from seawall.testing import BlackHole, FaultProxy, Latency, Refuse

CLOCK = SystemClock()
SERVERS = [name for name, kind in BACKENDS.items() if kind.has_server]
# Far more than the 0.2 s and the tries that fit into them, on whatever machine.
BOUND_NS = 15_000_000_000
QUICK = {"operation_timeout": 0.2, "connect_timeout": 0.2, "break_after": 1_000}


@pytest.fixture(scope="module", params=SERVERS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """An engine with a server, which stays well."""
    started = BACKENDS[request.param](tmp_path_factory.mktemp(request.param))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def proxy(backend: Backend) -> Iterator[FaultProxy]:
    """The network before it."""
    with FaultProxy(backend.target) as opened:
        yield opened


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


class Uses:
    """Calls on every port of an engine, those that read and those that change."""

    def __init__(self, backend: Backend, url: str, runner: asyncio.Runner | None, namespace: str) -> None:
        self.engine = open_engine(url, **QUICK)
        self._runner = runner
        kv = Faced(self.engine.key_value(namespace), runner)
        self.reads: dict[str, Callable[[], Any]] = {"get": lambda: kv.get("a"), "list": kv.list}
        self.writes: dict[str, Callable[[], Any]] = {
            "put": lambda: kv.put("a", b"new"),
            "swap": lambda: kv.compare_and_set("b", b"new", 0),
            "delete": lambda: kv.delete("c"),
        }
        if "journal" in backend.ports:
            journal = Faced(self.engine.journal(namespace), runner)
            self.reads["scan"] = lambda: journal.scan("s")
            self.writes["append"] = lambda: journal.append("s", b"new")
            self.writes["claim"] = lambda: journal.claim("s", "me", 60)

    def close(self) -> None:
        """Close the engine."""
        Faced(self.engine, self._runner).close()


def prepared(backend: Backend, namespace: str) -> tuple[Any, ...]:
    """Put something there; what there is."""
    with open_engine(backend.url) as engine:
        kv = engine.key_value(namespace)
        kv.put("a", b"old")
        kv.put("c", b"old")
        if "journal" in backend.ports:
            engine.journal(namespace).append("s", b"old")
    return state(backend, namespace)


def state(backend: Backend, namespace: str) -> tuple[Any, ...]:
    """All there is."""
    with open_engine(backend.url) as engine:
        listing = engine.key_value(namespace).list()
        if "journal" not in backend.ports:
            return (listing,)
        journal = engine.journal(namespace)
        return listing, journal.scan("s"), journal.streams(unclaimed=True)


def refused(call: Callable[[], Any]) -> EngineError:
    """The error of a call, which comes in time."""
    began = CLOCK.now_ns()
    with pytest.raises(EngineError) as raised:
        call()
    assert CLOCK.now_ns() - began < BOUND_NS
    return raised.value


def well(call: Callable[[], Any]) -> Any:
    """What a call answers when nothing is wrong but the machine busy."""
    until = CLOCK.now_ns() + BOUND_NS
    while True:
        try:
            return call()
        except (Unavailable, UnknownOutcome):
            assert CLOCK.now_ns() < until


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    """One for each face."""
    return f"u-{abs(hash(request.node.nodeid))}"


def test_a_closed_port_is_unavailable(backend, runner, namespace):
    """Every call says where it was looked for and what to do, and changes nothing."""
    before = prepared(backend, namespace)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    uses = Uses(backend, backend.url_at("127.0.0.1", port), runner, namespace)
    for call in (*uses.reads.values(), *uses.writes.values()):
        error = refused(call)
        assert type(error).__name__ in {"Unavailable", "_Away"}
        assert isinstance(error, Unavailable)
        assert str(error).startswith(uses.engine.name)
        # On a busy machine the time is over before the first answer.
        assert str(error).partition("\n")[0].endswith(("can be reached", "why it is slow"))
    uses.close()
    assert state(backend, namespace) == before


def test_a_silent_server_is_unavailable_and_nothing_was_sent(backend, proxy, runner, namespace):
    """A black hole that new connections fall into: no change can have been made, and none is said to be in doubt."""
    before = prepared(backend, namespace)
    uses = Uses(backend, backend.url_at(*proxy.address), runner, namespace)
    with proxy.fault(BlackHole()):
        for call in (uses.reads["get"], uses.writes["put"]):
            assert isinstance(refused(call), Unavailable)
    uses.close()
    assert state(backend, namespace) == before


@pytest.mark.parametrize("fault", [BlackHole(direction="to_client"), Latency(3.0)], ids=["no answers", "too late"])
def test_an_answer_that_does_not_come_in_time_leaves_a_change_in_doubt(backend, proxy, runner, namespace, fault):
    """On connections that were well; a question is only Unavailable. What is in doubt is done once or not at all."""
    before = prepared(backend, namespace)
    uses = Uses(backend, backend.url_at(*proxy.address), runner, namespace)
    well(uses.reads["get"])
    with proxy.fault(fault):
        assert isinstance(refused(uses.reads["get"]), Unavailable)
    doubtful = {}
    for name, call in uses.writes.items():
        well(uses.reads["get"])
        with proxy.fault(fault):
            doubtful[name] = refused(call)
    uses.close()
    assert all(isinstance(error, (UnknownOutcome, Unavailable)) for error in doubtful.values())
    assert any(isinstance(error, UnknownOutcome) for error in doubtful.values())
    in_doubt = {name for name, error in doubtful.items() if isinstance(error, UnknownOutcome)}
    _only_these(before, state(backend, namespace), in_doubt)


def _only_these(before: tuple[Any, ...], after: tuple[Any, ...], in_doubt: set[str]) -> None:
    """What differs is what may have been done."""
    was, now = ({entry.key: entry.value for entry in listing.entries} for listing in (before[0], after[0]))
    assert now.get("a") in {b"old", *([b"new"] if "put" in in_doubt else [])}
    assert now.get("b") in {None, *([b"new"] if "swap" in in_doubt else [])}
    assert now.get("c") in {b"old", *([None] if "delete" in in_doubt else [])}
    changed = sum(was.get(key) != now.get(key) for key in "abc")
    assert after[0].revision >= before[0].revision + changed
    if len(after) > 1:
        added = [record.data for record in after[1][len(before[1]) :]]
        assert added in ([], *([[b"new"]] if "append" in in_doubt else []))
        assert after[2] in (("s",), *([()] if "claim" in in_doubt else []))


def test_who_was_refused_goes_on_when_the_server_is_there_again(backend, proxy, runner, namespace):
    """The same engine, without being opened again."""
    prepared(backend, namespace)
    uses = Uses(backend, backend.url_at(*proxy.address), runner, namespace)
    well(uses.reads["get"])
    with proxy.fault(Refuse()):
        proxy.cut()
        assert isinstance(refused(uses.writes["put"]), (Unavailable, UnknownOutcome))
    for call in (*uses.writes.values(), *uses.reads.values()):
        well(call)
    uses.close()


def test_a_breaker_refuses_at_once_while_nobody_answers(backend, runner, namespace):
    """After some failures in a row it is not asked at all, and the message says when it is again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    engine = open_engine(backend.url_at("127.0.0.1", port), **QUICK | {"break_after": 2, "break_for": 600.0})
    kv = Faced(engine.key_value(namespace), runner)
    refused(lambda: kv.put("a", b"1"))
    error = refused(lambda: kv.put("a", b"1"))
    assert str(error) == (
        f"{engine.name} has not been reachable and is asked again in "
        f"{str(error).partition(' asked again in ')[2].partition(' s; ')[0]} s; see that it runs and can be reached"
    )
    Faced(engine, runner).close()


def test_a_watch_over_a_slow_line_gets_through(backend, proxy, namespace):
    """Also where connecting takes longer than its heartbeat: it is not cut short again and again."""
    with open_engine(backend.url_at(*proxy.address)) as engine:
        kv = engine.key_value(namespace)
        first = kv.put("a", b"1")
        with proxy.fault(Latency(0.06)), kv.watch(after=first, heartbeat=0.1) as watch:
            second = kv.put("a", b"2")
            assert next(watch) == Put("a", b"2", second)
