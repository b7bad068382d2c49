"""Opens a server or cluster."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import ClassVar

from seawall.clock import Clock
from seawall.engines._driver import Driver
from seawall.engines._engine import Engine
from seawall.engines._findings import Finding
from seawall.engines._guarantees import Consistency, Durability, Guarantees, TimeSource, WatchResume
from seawall.engines._options import EngineOptions
from seawall.engines._url import Address
from seawall.engines.nats import _settings as settings
from seawall.engines.nats._call import Call
from seawall.engines.nats._journal import NatsJournal
from seawall.engines.nats._key_value import NatsKeyValue
from seawall.engines.nats._meter import NatsMeter
from seawall.engines.nats._options import NatsOptions
from seawall.engines.nats._place import place_of
from seawall.engines.nats._stream import Stream
from seawall.engines.nats._wire import NatsWire
from seawall.engines.operation import Op, Send


class NatsEngine(Engine):
    """State on NATS 2.12 or newer with JetStream: `nats://user:password@host1:4222,host2`, `tls://` for TLS.

    Guarantees: each change is one message, or one atomic batch, stored on conditions that the stream's leader checks;
    revisions, positions and tokens are sequences of the stream. On one server that is linearizable; with replicas,
    reads may be behind for as long as a leader does not know that there is another, and changes are not. Times are of
    the leader's wall clock. What a change survives: see `durability`.

    Cost: a change one round trip, conditional ones two, those with a lease five or more and an atomic batch.
    """

    options_kind: ClassVar[type[EngineOptions]] = NatsOptions

    def __init__(self, address: Address, options: EngineOptions, clock: Clock) -> None:
        assert isinstance(options, NatsOptions)
        self._options = options
        place = place_of(address, options)
        self._wire = NatsWire(place, float(options.connect_timeout))  # type: ignore[arg-type]  # kept as seconds
        self._driver = Driver(self._wire, options, clock, place.name)
        self.guarantees = Guarantees(
            durability=Durability[options.durability],
            consistency=Consistency.linearizable if options.replicas == 1 else Consistency.sequential,
            fencing=True,
            watch=WatchResume.resume,
            clock=TimeSource.server,
            lease_precision=0.01,
            watch_latency=0.05,
        )

    def _check(self) -> Op[None]:
        yield Send(settings.usable, again=True)
        if self._options.lint or self._options.monitor:
            seen = yield Send(self._look, again=True)
            settings.insist(seen, self._options.durability, self.name)
            for finding in settings.findings(seen, self._options.durability) if self._options.lint else ():
                warnings.warn(f"{self.name}: {finding}", RuntimeWarning, stacklevel=2)

    def _lint(self) -> Op[tuple[Finding, ...]]:
        seen = yield Send(self._look, again=True)
        return tuple(settings.findings(seen, self._options.durability))

    async def _look(self, call: Call) -> settings.Seen:
        return await settings.look(call, self._options.monitor, self.name)

    def _stream(self, port: str, namespace: str, storage: str) -> Stream:
        return Stream(port, namespace, storage, self._options.replicas, self.name, self._wire.settled)

    def _storage(self) -> str:
        return "memory" if self._options.durability == "process" else "file"

    def _key_value(self, namespace: str) -> NatsKeyValue:
        stream = self._stream("kv", namespace, self._storage())
        return NatsKeyValue(self._driver, namespace, self.guarantees, stream, self._options.history)

    def _journal(self, namespace: str) -> NatsJournal:
        return NatsJournal(
            self._driver, namespace, self.guarantees, self._stream("journal", namespace, self._storage())
        )

    def _meter(self, namespace: str) -> NatsMeter:
        # A limit that is forgotten with its servers is better than one that waits for the disk.
        guarantees = replace(self.guarantees, durability=Durability.process)
        return NatsMeter(self._driver, namespace, guarantees, self._stream("meter", namespace, "memory"))
