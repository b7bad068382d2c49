"""Three members: the leader dies and work goes on; most of them die and nothing is pretended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.etcd_server import EtcdServer

from seawall.engines import Put, open_engine
from seawall.errors import Unavailable, UnknownOutcome

PATIENT = {"operation_timeout": 30.0, "break_after": 1_000, "attempts": 100, "lint": False}


@pytest.fixture
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EtcdServer]]:
    """A cluster; its elections take longer than one member's, so that a busy machine does not cause them."""
    made = [EtcdServer(tmp_path_factory.mktemp("etcd"), name=name) for name in ("one", "two", "three")]
    everybody = ",".join(f"{each.settings['name']}={each.peers}" for each in made)
    for each in made:
        each.settings |= {"initial-cluster": everybody, "heartbeat-interval": "50", "election-timeout": "500"}
        each.start(ready=False)
    for each in made:
        each.wait()
    yield made
    for each in made:
        each.stop()


def _url(members: list[EtcdServer]) -> str:
    return "etcd://" + ",".join(each.place for each in members)


def _leader(members: list[EtcdServer]) -> EtcdServer:
    return next(each for each in members if each.control("endpoint", "status").split(", ")[4] == "true")


def test_the_death_of_a_leader_and_then_of_most(members):
    """Changes and watches go on with the other two; a single one answers nothing."""
    leader = _leader(members)
    members.sort(key=lambda each: each is not leader)
    url = _url(members)
    with open_engine(url, **PATIENT) as engine, open_engine(url, **PATIENT | {"operation_timeout": 2.0}) as hasty:
        kv, hurried, told = engine.key_value(), hasty.key_value(), {}
        watch = kv.watch(after=kv.list().revision, heartbeat=1)
        assert [finding.setting for finding in engine.lint()] == ["version", "version"]
        lease, claim = kv.grant(60), engine.journal().claim("s", "me", 60)
        for number in range(20):
            if number == 10:
                leader.kill()
            try:
                told[number] = hurried.put("a", b"%d" % number)
            except (Unavailable, UnknownOutcome):
                # What was on its way to the leader is lost with it.
                told[number] = None
        asyncio.run(kv.put_async("a", b"20"))
        seen = {}
        while 20 not in seen:
            if isinstance(event := watch.poll(), Put):
                assert int(event.value) not in seen
                seen[int(event.value)] = event.revision
        assert {number: revision for number, revision in told.items() if revision}.items() <= seen.items()
        assert kv.keep_alive(lease) == lease
        assert engine.journal().append("s", b"1", claim=claim)
        watch.close()
    members[1].kill()
    alone = members[2].url
    with pytest.raises(Unavailable) as away, open_engine(alone, **PATIENT | {"operation_timeout": 1.0}):
        pass
    assert str(away.value).startswith(f"{alone}")
