"""Every engine against a simple model, in any order of calls."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.contract.backends import Backend

from seawall.engines import Deleted, Put, Resync
from seawall.errors import Conflict, LeaseLost

KEYS = st.sampled_from(["a", "a/1", "a/2", "b"])
VALUES = st.binary(max_size=3)
TIMES = st.sampled_from([0.05, 0.5, 2.0, 20.0])
SETTINGS = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def lasting(backend: Backend, ttl: float) -> float:
    """Where time cannot be held still, nothing may end by itself while the model thinks that no time has passed."""
    return ttl if backend.manual else 1_000 * ttl


class KeyValueMachine(RuleBasedStateMachine):
    """Keys, leases and a watch: the watch, replayed, always arrives at what list says."""

    backend: Backend
    leases = Bundle("leases")

    @initialize(history=st.sampled_from([2, 5, 1000]))
    def open(self, history: int) -> None:
        option = self.backend.history_option
        self.options = {option: history} if option else {}
        self.engine = self.backend.open(**self.options)
        self.namespace = f"m-{secrets.token_hex(8)}"
        self.kv = self.engine.key_value(self.namespace)
        self.model: dict[str, tuple[bytes, int, str | None]] = {}
        self.ends: dict[str, tuple[float, float]] = {}
        self.now = 0.0
        self.revision = 0
        self.made = 0
        self.watch = self.kv.watch(after=0, heartbeat=0.2)
        self.replayed: dict[str, bytes] = {}
        self.told = 0

    def expire(self) -> None:
        for lease in [lease for lease, (end, _) in self.ends.items() if end <= self.now]:
            self.drop(lease)

    def drop(self, lease: str) -> None:
        del self.ends[lease]
        self.model = {key: kept for key, kept in self.model.items() if kept[2] != lease}

    def grown(self, revision: int) -> int:
        assert revision > self.revision
        self.revision = self.made = revision
        return revision

    @rule(key=KEYS, value=VALUES)
    def put(self, key: str, value: bytes) -> None:
        self.expire()
        self.model[key] = value, self.grown(self.kv.put(key, value)), None

    @rule(key=KEYS, value=VALUES, lease=leases)
    def put_leased(self, key: str, value: bytes, lease: Any) -> None:
        self.expire()
        if lease.id in self.ends:
            self.model[key] = value, self.grown(self.kv.put(key, value, lease=lease)), lease.id
        else:
            with pytest.raises(LeaseLost):
                self.kv.put(key, value, lease=lease)

    @rule(key=KEYS, value=VALUES, off=st.sampled_from([0, 0, 1, -1]))
    def compare_and_set(self, key: str, value: bytes, off: int) -> None:
        self.expire()
        current = self.model[key][1] if key in self.model else 0
        expected = max(0, current + off)
        swap = self.kv.compare_and_set(key, value, expected)
        assert swap.done is (expected == current)
        if swap.done:
            self.model[key] = value, self.grown(swap.revision), None
        else:
            assert swap.revision == current

    @rule(key=KEYS, off=st.sampled_from([None, 0, 1]))
    def delete(self, key: str, off: int | None) -> None:
        self.expire()
        current = self.model[key][1] if key in self.model else 0
        swap = self.kv.delete(key, revision=None if off is None else max(1, current + off))
        assert swap.done is (key in self.model and off in (None, 0))
        if swap.done:
            self.grown(swap.revision)
            del self.model[key]
        else:
            assert swap.revision == current

    @rule(target=leases, ttl=st.sampled_from([0.1, 1.0, 10.0]))
    def grant(self, ttl: float) -> Any:
        ttl = lasting(self.backend, ttl)
        lease = self.kv.grant(ttl)
        self.ends[lease.id] = round(self.now + ttl, 6), ttl
        return lease

    @rule(key=KEYS, value=VALUES, most=st.sampled_from([None, 1, 2, 3]), behind=st.sampled_from(["", "a/"]))
    def enlist(self, key: str, value: bytes, most: int | None, behind: str) -> None:
        self.expire()
        older = [kept[1] for name, kept in self.model.items() if name.startswith(behind)]
        ttl = lasting(self.backend, 10.0)
        if key in self.model:
            was, revision, lease = self.model[key]
            if was == value and lease is not None:
                again = self.kv.enlist(key, value, ttl=ttl, behind=behind, most=most)
                assert (again.revision, again.lease.id) == (revision, lease)
                assert again.ahead == sum(other < revision for other in older)
            else:
                with pytest.raises(Conflict):
                    self.kv.enlist(key, value, ttl=ttl, behind=behind, most=most)
            return
        enlisted = self.kv.enlist(key, value, ttl=ttl, behind=behind, most=most)
        assert enlisted.ahead == len(older)
        assert enlisted.done is (most is None or len(older) < most)
        if enlisted.done:
            self.model[key] = value, self.grown(enlisted.revision), enlisted.lease.id
            self.ends[enlisted.lease.id] = round(self.now + ttl, 6), ttl

    @rule(lease=leases)
    def keep_alive(self, lease: Any) -> None:
        self.expire()
        if lease.id in self.ends:
            assert self.kv.keep_alive(lease) == lease
            self.ends[lease.id] = round(self.now + lease.ttl, 6), lease.ttl
        else:
            with pytest.raises(LeaseLost):
                self.kv.keep_alive(lease)

    @rule(lease=consumes(leases))
    def revoke(self, lease: Any) -> None:
        self.expire()
        assert self.kv.revoke(lease) is (lease.id in self.ends)
        if lease.id in self.ends:
            self.drop(lease.id)

    @precondition(lambda self: self.backend.manual)
    @rule(seconds=TIMES)
    def pass_time(self, seconds: float) -> None:
        self.backend.pass_time(seconds)
        self.now = round(self.now + seconds, 6)

    @precondition(lambda self: self.backend.lasting)
    @rule()
    def reopen(self) -> None:
        self.engine.close()
        self.engine = self.backend.open(**self.options)
        self.kv = self.engine.key_value(self.namespace)
        self.watch = self.kv.watch(after=self.told, heartbeat=0.2)

    @rule(prefix=st.sampled_from(["", "a", "a/", "c"]))
    def look(self, prefix: str) -> None:
        self.expire()
        listing = self.kv.list(prefix)
        self.revision = max(self.revision, listing.revision)
        expected = sorted((key, *kept) for key, kept in self.model.items() if key.startswith(prefix))
        assert [tuple(entry) for entry in listing.entries] == expected
        for key in self.model:
            assert self.kv.get(key).value == self.model[key][0]

    @rule()
    def follow(self) -> None:
        listing = self.kv.list()
        # The revision of a list may be above that of the last change of this namespace.
        while self.told < self.made or self.replayed != {entry.key: entry.value for entry in listing.entries}:
            event = self.watch.poll()
            if event is None:
                continue
            assert self.told < event.revision <= listing.revision
            self.told = event.revision
            self.replay(event)

    def replay(self, event: Any) -> None:
        if isinstance(event, Resync):
            assert self.options.get(self.backend.history_option) != 1000
            self.replayed = {entry.key: entry.value for entry in event.entries}
        elif isinstance(event, Put):
            self.replayed[event.key] = event.value
        else:
            assert isinstance(event, Deleted)
            del self.replayed[event.key]

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.follow()
            self.engine.close()


class JournalMachine(RuleBasedStateMachine):
    """Streams, claims and work: nothing is lost, nothing has two owners, nothing comes back."""

    backend: Backend
    claims = Bundle("claims")
    takings = Bundle("takings")

    @initialize()
    def open(self) -> None:
        self.engine = self.backend.open()
        self.namespace = f"m-{secrets.token_hex(8)}"
        self.journal = self.engine.journal(self.namespace)
        self.records: dict[str, dict[int, bytes]] = {"s": {}, "t": {}}
        self.owned: dict[str, tuple[Any, float]] = {}
        self.held: dict[int, tuple[int, float, int]] = {}
        self.now = 0.0
        self.tokens: dict[str, int] = {}
        self.highest = 0

    def is_current(self, claim: Any) -> bool:
        owned = self.owned.get(claim.stream)
        return owned is not None and owned[0].token == claim.token and owned[1] > self.now

    @rule(
        stream=st.sampled_from(["s", "t"]),
        data=st.lists(VALUES, min_size=1, max_size=3),
        off=st.sampled_from([None, 0, 1]),
    )
    def append(self, stream: str, data: list[bytes], off: int | None) -> None:
        last = max(self.records[stream], default=0)
        expected = None if off is None else last + off
        if off == 1:
            with pytest.raises(Conflict):
                self.journal.append(stream, *data, expected=expected)
            return
        self.appended(stream, data, self.journal.append(stream, *data, expected=expected))

    def appended(self, stream: str, data: list[bytes], position: int) -> None:
        assert position > self.highest
        new = [record for record in self.journal.scan(stream) if record.position > self.highest]
        assert [record.data for record in new] == data
        self.records[stream].update((record.position, record.data) for record in new)
        self.highest = position

    @rule(claim=claims, data=VALUES)
    def append_owned(self, claim: Any, data: bytes) -> None:
        if self.is_current(claim):
            self.appended(claim.stream, [data], self.journal.append(claim.stream, data, claim=claim))
        else:
            with pytest.raises(LeaseLost):
                self.journal.append(claim.stream, data, claim=claim)

    @rule(target=claims, stream=st.sampled_from(["s", "t"]), ttl=st.sampled_from([0.1, 1.0, 10.0]))
    def claim(self, stream: str, ttl: float) -> Any:
        ttl = lasting(self.backend, ttl)
        owned = self.owned.get(stream)
        claim = self.journal.claim(stream, "me", ttl)
        if owned is not None and owned[1] > self.now:
            assert claim is None
            return owned[0]
        assert claim.token > self.tokens.get(stream, 0)
        self.tokens[stream] = claim.token
        self.owned[stream] = claim, round(self.now + ttl, 6)
        return claim

    @rule(claim=claims)
    def renew(self, claim: Any) -> None:
        if self.is_current(claim):
            self.journal.renew(claim)
            self.owned[claim.stream] = claim, round(self.now + claim.ttl, 6)
        else:
            with pytest.raises(LeaseLost):
                self.journal.renew(claim)

    @rule(claim=claims)
    def release(self, claim: Any) -> None:
        current = self.is_current(claim)
        assert self.journal.release(claim) is current
        if current:
            del self.owned[claim.stream]

    @rule(target=takings, stream=st.sampled_from(["s", "t"]), ttl=st.sampled_from([0.1, 10.0]))
    def take(self, stream: str, ttl: float) -> Any:
        free = [p for p in sorted(self.records[stream]) if self.held.get(p, (0, 0.0, 0))[1] <= self.now]
        ttl = lasting(self.backend, ttl)
        taken = self.journal.take(stream, "me", ttl, limit=2)
        assert [each.record.position for each in taken] == free[:2]
        for each in taken:
            token, _, attempt = self.held.get(each.record.position, (0, 0.0, 0))
            assert each.token > token
            assert each.attempt == attempt + 1
            self.held[each.record.position] = each.token, round(self.now + ttl, 6), each.attempt
        return taken

    @rule(taken=takings, give=st.booleans())
    def finish(self, taken: Any, give: bool) -> None:
        for each in taken:
            position, stream = each.record.position, each.record.stream
            token, end, attempt = self.held.get(position, (0, 0.0, 0))
            mine = token == each.token and end > self.now and position in self.records[stream]
            if give:
                assert self.journal.give_back(each) is mine
                if mine:
                    self.held[position] = token, self.now, attempt
            elif mine:
                self.journal.acknowledge(each)
                del self.records[stream][position]
            else:
                with pytest.raises(LeaseLost):
                    self.journal.acknowledge(each)

    @rule(stream=st.sampled_from(["s", "t"]), back=st.integers(0, 2))
    def trim(self, stream: str, back: int) -> None:
        through = max(0, self.highest - back)
        gone = [position for position in self.records[stream] if position <= through]
        assert self.journal.trim(stream, through) == len(gone)
        for position in gone:
            del self.records[stream][position]

    @precondition(lambda self: self.backend.manual)
    @rule(seconds=TIMES)
    def pass_time(self, seconds: float) -> None:
        self.backend.pass_time(seconds)
        self.now = round(self.now + seconds, 6)

    @precondition(lambda self: self.backend.lasting)
    @rule()
    def reopen(self) -> None:
        self.engine.close()
        self.engine = self.backend.open()
        self.journal = self.engine.journal(self.namespace)

    @invariant()
    def everything_is_there(self) -> None:
        if not hasattr(self, "journal"):
            return
        for stream, records in self.records.items():
            assert [(record.position, record.data) for record in self.journal.scan(stream)] == sorted(records.items())
            assert self.journal.last(stream) == max(records, default=0)
        assert self.journal.streams() == tuple(name for name in ("s", "t") if self.records[name])

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.close()


@pytest.mark.parametrize(("port", "machine"), [("key_value", KeyValueMachine), ("journal", JournalMachine)])
def test_an_engine_does_what_the_model_does(backend, port, machine):
    """In any order of calls, with time passing and the engine opened again."""
    if port not in backend.ports:
        pytest.skip(f"{backend.name} has no {port}")
    run_state_machine_as_test(type("Machine", (machine,), {"backend": backend}), settings=SETTINGS)
