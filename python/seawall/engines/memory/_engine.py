"""Opens the memory of this process."""

from __future__ import annotations

import threading
from typing import ClassVar
from weakref import WeakValueDictionary

from seawall.clock import Clock
from seawall.engines._driver import Driver
from seawall.engines._engine import Engine
from seawall.engines._guarantees import Consistency, Durability, Guarantees, TimeSource, WatchResume
from seawall.engines._options import EngineOptions
from seawall.engines._url import Address
from seawall.engines.memory._journal import JournalState, MemoryJournal
from seawall.engines.memory._key_value import KeyValueState, MemoryKeyValue
from seawall.engines.memory._meter import MemoryMeter, MeterState
from seawall.engines.memory._wire import Hub, MemoryWire
from seawall.engines.operation import Op
from seawall.errors import ConfigError
from seawall.patterns import option

_GUARANTEES = Guarantees(
    durability=Durability.none,
    consistency=Consistency.linearizable,
    fencing=True,
    watch=WatchResume.resume,
    clock=TimeSource.process,
    lease_precision=0.0,
    watch_latency=0.0,
)


class MemoryOptions(EngineOptions):
    """Options of `memory://`."""

    history: int = option(default=10_000, least=1, most=10_000_000, help="changes of a namespace kept for watches")


class _Store:
    """What engines of one name share."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.hub = Hub()
        self.lock = threading.Lock()
        self.key_values: dict[str, KeyValueState] = {}
        self.journals: dict[str, JournalState] = {}
        self.meters: dict[str, MeterState] = {}


_named: WeakValueDictionary[str, _Store] = WeakValueDictionary()
_naming = threading.Lock()


class MemoryEngine(Engine):
    """State in this process: `memory://` has its own, all engines of `memory://name` share one while any lives.

    Guarantees: exact, by the clock it was opened with: a ManualClock drives leases, claims and limits. A forked child
    has a copy of its own.
    """

    options_kind: ClassVar[type[EngineOptions]] = MemoryOptions
    guarantees = _GUARANTEES

    def __init__(self, address: Address, options: EngineOptions, clock: Clock) -> None:
        name = address.hosts[0][0] if address.hosts else ""
        if address.path or address.user or len(address.hosts) > 1 or (address.hosts and address.hosts[0][1]):
            raise ConfigError(f"memory:// takes at most a name, memory://name, got {address.shown}")
        assert isinstance(options, MemoryOptions)
        self._history = options.history
        self._store = _store(name, clock)
        wire = MemoryWire(self._store.hub, clock, f"memory://{name}")
        self._driver = Driver(wire, options, clock, f"memory://{name}", guarded=False)

    def _check(self) -> Op[None]:
        yield from ()

    def _key_value(self, namespace: str) -> MemoryKeyValue:
        store = self._store
        with store.lock:
            state = store.key_values.setdefault(namespace, KeyValueState(self._history, store.hub.changed))
        return MemoryKeyValue(self._driver, namespace, self.guarantees, state)

    def _journal(self, namespace: str) -> MemoryJournal:
        with self._store.lock:
            state = self._store.journals.setdefault(namespace, JournalState())
        return MemoryJournal(self._driver, namespace, self.guarantees, state)

    def _meter(self, namespace: str) -> MemoryMeter:
        with self._store.lock:
            state = self._store.meters.setdefault(namespace, MeterState())
        return MemoryMeter(self._driver, namespace, self.guarantees, state)


def _store(name: str, clock: Clock) -> _Store:
    if not name:
        return _Store(clock)
    with _naming:
        store = _named.get(name)
        if store is None:
            store = _named[name] = _Store(clock)
        if store.clock is not clock:
            raise ConfigError(f"memory://{name} goes by {store.clock!r} already; give all its engines the same clock")
        return store
