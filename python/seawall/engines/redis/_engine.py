"""Opens a server."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import ClassVar

from seawall.clock import Clock
from seawall.engines._driver import Driver
from seawall.engines._engine import Engine
from seawall.engines._findings import Finding
from seawall.engines._guarantees import Consistency, Durability, Guarantees, TimeSource, WatchResume
from seawall.engines._options import EngineOptions
from seawall.engines._registry import missing_library
from seawall.engines._url import Address
from seawall.engines.operation import Op, Send
from seawall.engines.redis import _settings as settings
from seawall.engines.redis._call import Call
from seawall.engines.redis._journal import RedisJournal
from seawall.engines.redis._key_value import RedisKeyValue
from seawall.engines.redis._meter import RedisMeter
from seawall.engines.redis._options import RedisOptions
from seawall.engines.redis._place import place_of
from seawall.engines.redis._wire import RedisWire
from seawall.errors import EngineError, Unavailable

_ASK_SETTINGS = Call(("CONFIG", "GET", "*"))
_ASK_INFO = Call(("INFO",))


class RedisEngine(Engine):
    """State on one Redis (7.0 or newer) or Valkey server: `redis://host:6379/0`, `rediss://` for TLS, `unix:///path`.

    Guarantees: each operation is one Lua script: one atomic step and one round trip, by the server's clock. On one
    server that is linearizable; replication is asynchronous, so a failover may forget what was acknowledged, a claim
    or a lease among it. Revisions and tokens are never below the server's time in microseconds: they go on growing
    after a loss of data too, unless the server's clock went back as well. What a write survives is up to the server's
    settings: say which with `durability`, and every new connection checks it.

    Cost: a round trip; with `appendfsync always` an fsync on the server for each change.
    """

    options_kind: ClassVar[type[EngineOptions]] = RedisOptions

    def __init__(self, address: Address, options: EngineOptions, clock: Clock) -> None:
        assert isinstance(options, RedisOptions)
        place = place_of(address, options)
        if find_spec("redis") is None:
            raise missing_library(address.scheme, "redis", "redis")
        self._options = options
        connect = float(options.connect_timeout)  # type: ignore[arg-type]  # kept as seconds
        wire = RedisWire(place, clock, size=options.pool_size, connect_timeout=connect, durability=options.durability)
        self._driver = Driver(wire, options, clock, place.name)
        self.guarantees = Guarantees(
            durability=Durability[options.durability],
            consistency=Consistency.linearizable,
            fencing=True,
            watch=WatchResume.resume,
            clock=TimeSource.server,
            # What an inbox has seen expires by whole milliseconds, and one is added so that none is too early.
            lease_precision=0.002,
            watch_latency=0.01,
        )

    def _check(self) -> Op[None]:
        found = settings.info((yield Send(_ASK_INFO, again=True)))
        settings.usable(found, self.name)
        if self._options.lint:
            for finding in (yield from self._lint()):
                warnings.warn(f"{self.name}: {finding}", RuntimeWarning, stacklevel=2)

    def _lint(self) -> Op[tuple[Finding, ...]]:
        found = settings.info((yield Send(_ASK_INFO, again=True)))
        try:
            config = settings.mapping((yield Send(_ASK_SETTINGS, again=True)))
        except Unavailable:
            raise
        except EngineError as error:
            return (settings.unseen(error),)
        return tuple(settings.findings(config, found))

    def _key_value(self, namespace: str) -> RedisKeyValue:
        options = self._options
        return RedisKeyValue(self._driver, namespace, self.guarantees, options.history, options.history_bytes)

    def _journal(self, namespace: str) -> RedisJournal:
        return RedisJournal(self._driver, namespace, self.guarantees)

    def _meter(self, namespace: str) -> RedisMeter:
        return RedisMeter(self._driver, namespace, self.guarantees)
