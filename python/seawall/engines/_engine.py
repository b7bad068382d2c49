"""An engine: one connection string, up to three ports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from seawall.clock import Clock
from seawall.engines._driver import Driver
from seawall.engines._findings import Finding
from seawall.engines._guarantees import Guarantees
from seawall.engines._options import EngineOptions
from seawall.engines._ports._checks import name_of
from seawall.engines._url import Address
from seawall.engines.operation import Op, awaitable, blocking
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from seawall.engines._ports import Journal, KeyValue, Meter


class Engine(ABC):
    """Something that keeps state for many: opened with `open_engine(url)`.

    Guarantees: nothing is connected before it is needed, or before `with`, which also checks versions and access. All
    ports share its connections. After `close` every call is an error.

    Thread safety: yes; any number of threads, tasks and loops. A forked child opens connections of its own.

    For engines: subclass, name the `options_kind`, give `guarantees` and `_driver` in `__init__`, write `_check` and
    the ports there are, and register the class in `_registry.py`.
    """

    options_kind: ClassVar[type[EngineOptions]] = EngineOptions

    guarantees: Guarantees
    """Of all its ports, unless a port's own `guarantees` says otherwise."""
    _driver: Driver

    @abstractmethod
    def __init__(self, address: Address, options: EngineOptions, clock: Clock) -> None:
        """Keep what is needed to connect; import the client library here, connect later."""

    @property
    def name(self) -> str:
        """The URL without user, password and options."""
        return self._driver.name

    @abstractmethod
    def _check(self) -> Op[None]:
        """Connect; raise WrongVersion, AuthFailed, Unavailable... when the engine cannot be used."""

    def _lint(self) -> Op[tuple[Finding, ...]]:
        """Look at the server's settings."""
        yield from ()
        return ()

    def _key_value(self, namespace: str) -> KeyValue:
        raise self._no("KeyValue", namespace)

    def _journal(self, namespace: str) -> Journal:
        raise self._no("Journal", namespace)

    def _meter(self, namespace: str) -> Meter:
        raise self._no("Meter", namespace)

    def _no(self, port: str, namespace: str) -> ConfigError:
        return ConfigError(
            f"{self.name} has no {port} to keep {namespace!r} in; docs/reference/engines.md says which engines have"
        )

    def key_value(self, namespace: str = "seawall") -> KeyValue:
        """Keys and values; namespaces do not see each other."""
        return self._key_value(_namespace(namespace))

    def journal(self, namespace: str = "seawall") -> Journal:
        """Streams of records; namespaces do not see each other."""
        return self._journal(_namespace(namespace))

    def meter(self, namespace: str = "seawall") -> Meter:
        """Limits; namespaces do not see each other."""
        return self._meter(_namespace(namespace))

    def _do_check(self) -> Op[None]:
        """Connect and see that the engine can be used: it answers, lets us in, has a version we know.

        Raises:
            EngineError: It cannot; the class says why.
        """
        yield from self._check()

    def _do_lint(self) -> Op[tuple[Finding, ...]]:
        """Settings of the server that can lose what seawall keeps there, each with its remedy."""
        return (yield from self._lint())

    check, check_async = blocking(_do_check), awaitable(_do_check)
    lint, lint_async = blocking(_do_lint), awaitable(_do_lint)

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._driver.closed = True
        self._driver.wire.close()

    async def close_async(self) -> None:
        """`close` for a task."""
        self._driver.closed = True
        await self._driver.wire.close_async()

    def __enter__(self) -> Self:
        try:
            self.check()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        try:
            await self.check_async()
        except BaseException:
            await self.close_async()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_async()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}{' closed' if self._driver.closed else ''}>"


def _namespace(namespace: str) -> str:
    name = name_of(namespace, "namespace")
    if len(name) > 64 or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
        raise ConfigError(f"namespace must be 1 to 64 ASCII letters, digits, '-' and '_', got {namespace!r}")
    return name
