"""Three NATS servers that hold every stream together, of which one dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.nats_server import NatsServer, cluster

from seawall.engines import Put, open_engine
from seawall.errors import LeaseLost, UnknownOutcome

PATIENT = {"operation_timeout": 60.0, "break_after": 1_000, "attempts": 100, "lint": False, "replicas": 3}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[NatsServer]]:
    """A cluster."""
    started = cluster(tmp_path_factory.mktemp("cluster"), 3)
    yield started
    for server in started:
        server.stop()


@pytest.fixture
def url(servers: list[NatsServer]) -> str:
    """All its servers."""
    return "nats://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


def test_every_list_has_what_was_acknowledged(url):
    """Whichever copy it reads; scans and the first change of a watch too."""
    with open_engine(url, **PATIENT) as engine:
        kv, journal = engine.key_value("lists"), engine.journal("lists")
        for number in range(15):
            revision = kv.put(f"a/{number:02}", b"")
            assert len(kv.list("a/").entries) == number + 1
            assert kv.watch("b/", after=kv.put("b/1", b"%d" % number) - 1).poll() == Put(
                "b/1", b"%d" % number, revision + 1
            )
            position = journal.append("s", b"1", b"2")
            assert journal.scan("s")[-1].position == position


def test_threads_that_begin_together_make_one_stream(url):
    """Though servers say nothing while another is making it."""
    with open_engine(url, **PATIENT) as engine:
        revisions = []

        def put(name: str) -> None:
            revisions.append(engine.key_value("new").put(name, b""))

        threads = [threading.Thread(target=put, args=(f"k{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(revisions) == [1, 2, 3, 4]


def test_a_server_that_dies_takes_nothing_with_it(servers, url):
    """The one that leads the stream: what was acknowledged is there, leases live, the watch goes on."""
    with open_engine(url, **PATIENT) as engine:
        kv, journal = engine.key_value("dies"), engine.journal("dies")
        watch = kv.watch(after=0, heartbeat=1)
        lease = kv.grant(600)
        done = {f"k{number}": kv.put(f"k{number}", b"", lease=lease) for number in range(10)}
        claim = journal.claim("s", "me", 600)
        position = journal.append("s", b"1", b"2", claim=claim)

        async def leader(call):
            return (await call.api("STREAM.INFO.seawall_kv_dies"))["cluster"]["leader"]

        name = engine._driver.wire.execute(leader, 10.0)
        next(server for server in servers if f"/{name}/" in f"{server.directory}/").kill()
        doubtful = set()
        for number in range(10, 20):
            with suppress(UnknownOutcome):
                doubtful.add(f"k{number}")
                done[f"k{number}"] = kv.put(f"k{number}", b"")
        assert kv.keep_alive(lease) == lease
        there = {entry.key: entry.revision for entry in kv.list().entries}
        assert done.items() <= there.items()
        assert set(there) <= set(done) | doubtful
        seen: dict[str, int] = {}
        while watch.revision < max(there.values()):
            event = watch.poll()
            if event is not None:
                seen[event.key] = event.revision
        assert seen == there
        watch.close()
        assert journal.last("s") == position
        assert journal.append("s", b"3", claim=claim) > position
        assert journal.release(claim)
        with pytest.raises(LeaseLost):
            journal.append("s", b"4", claim=claim)
