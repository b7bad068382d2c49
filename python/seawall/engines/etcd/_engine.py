"""Opens a cluster."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from seawall.clock import Clock
from seawall.engines._driver import Driver
from seawall.engines._engine import Engine
from seawall.engines._findings import Finding
from seawall.engines._guarantees import Consistency, Durability, Guarantees, TimeSource, WatchResume
from seawall.engines._options import EngineOptions
from seawall.engines._registry import missing_library
from seawall.engines._url import Address
from seawall.engines.etcd._options import EtcdOptions
from seawall.engines.etcd._place import place_of
from seawall.engines.operation import Op, Send
from seawall.errors import AuthFailed, Compacted, ConfigError, EngineError

if TYPE_CHECKING:
    from seawall.engines._ports import Meter
    from seawall.engines.etcd._journal import EtcdJournal
    from seawall.engines.etcd._key_value import EtcdKeyValue


class EtcdEngine(Engine):
    """State on a cluster of etcd (3.4 or newer): `etcd://user:password@host1:2379,host2:2379`, `etcds://` for TLS.

    Guarantees: each change is one transaction, acknowledged once more than half of the members have it on disk; each
    answer is linearizable, from whichever member. Keys vanish with etcd's own leases, in the same order of changes as
    all else, so a claim is checked in the transaction that it protects. Leases go by the leader's monotonic clock; they
    are whole seconds, at least one and a half times the server's election timeout, and say what they were granted; a
    new leader gives each its full time again. There is no Meter: etcd's transactions have no clock.

    Cost: a round trip and an fsync on most members for a change; about a quarter of a millisecond of this process.
    """

    options_kind: ClassVar[type[EngineOptions]] = EtcdOptions

    def __init__(self, address: Address, options: EngineOptions, clock: Clock) -> None:
        assert isinstance(options, EtcdOptions)
        place = place_of(address, options)
        for library, module in (("h2", "h2"), ("protobuf", "google.protobuf")):
            if not _present(module):
                raise missing_library(address.scheme, library, "etcd")
        from seawall.engines.etcd._wire import EtcdWire

        self._options = options
        connect = float(options.connect_timeout)  # type: ignore[arg-type]  # kept as seconds
        self._wire = EtcdWire(place, clock, size=options.pool_size, connect_timeout=connect)
        self._driver = Driver(self._wire, options, clock, place.name)
        self.guarantees = Guarantees(
            durability=Durability.disk,
            consistency=Consistency.linearizable,
            fencing=True,
            watch=WatchResume.resume,
            clock=TimeSource.server_monotonic,
            # The server looks for ended leases twice a second, and then has to agree on the end.
            lease_precision=1.0,
            watch_latency=0.1,
        )

    def _check(self) -> Op[None]:
        from seawall.engines.etcd import _lint as lint
        from seawall.engines.etcd._session import ASK_ALARMS, ASK_STATUS, PROBE

        try:
            lint.usable((yield Send(ASK_STATUS, again=True)), self.name)
            lint.sound((yield Send(ASK_ALARMS, again=True)), self.name)
        except AuthFailed:
            pass  # who may not ask may still use it, as the next call shows
        yield Send(PROBE, again=True)
        if self._options.lint:
            for finding in (yield from self._lint()):
                warnings.warn(f"{self.name}: {finding}", RuntimeWarning, stacklevel=2)

    def _lint(self) -> Op[tuple[Finding, ...]]:
        from seawall.engines.etcd import _lint as lint
        from seawall.engines.etcd._session import ASK_ALARMS, ASK_FIRST, ASK_MEMBERS, ASK_STATUS

        said: list[Any] = []
        try:
            for ask in (ASK_STATUS, ASK_ALARMS, ASK_MEMBERS):
                said.append((yield Send(ask, again=True)))
            compacted = False
            try:
                yield Send(ASK_FIRST, again=True)
            except Compacted:
                compacted = True
        except EngineError as error:
            return (lint.unseen(error),)
        open_door = (lint.open_to_all(),) if self._wire.is_open_to_all else ()
        return (*open_door, *lint.findings(*said, compacted=compacted))

    def _key_value(self, namespace: str) -> EtcdKeyValue:
        from seawall.engines.etcd._key_value import EtcdKeyValue

        return EtcdKeyValue(self._driver, namespace, self.guarantees)

    def _journal(self, namespace: str) -> EtcdJournal:
        from seawall.engines.etcd._journal import EtcdJournal

        return EtcdJournal(self._driver, namespace, self.guarantees)

    def _meter(self, namespace: str) -> Meter:
        raise ConfigError(
            f"{self.name} has no Meter to keep {namespace!r} in: etcd's transactions have no clock to decide by; keep "
            "limits in Redis, PostgreSQL or SQLite"
        )


def _present(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
