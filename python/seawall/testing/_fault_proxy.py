"""A network that fails on purpose, between a client and its server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from seawall.errors import ConfigError
from seawall.patterns import Options, option
from seawall.testing._chance import Seeded
from seawall.testing._fault_proxy_address import Address, Listener, Place, checked_address, numeric, places, unix
from seawall.testing._fault_proxy_connection import Connection, close_socket
from seawall.testing._fault_proxy_faults import Cut, Fault, Pause, Refuse
from seawall.testing._fault_proxy_plan import FaultPlan
from seawall.testing._fault_proxy_stats import (
    ConnectionStats,
    FaultProxyStats,
    FlowStats,
    connection_stats,
    flow_stats,
)

T = TypeVar("T")
_PATIENCE = 30.0
_ACCEPT_AT_ONCE = 100


class FaultProxyOptions(Options):
    """What a `FaultProxy` is asked for."""

    seed: int | None = option(default=None, help="repeats all decisions; by default SEAWALL_SEED, else a new one")
    max_connections: int = option(default=1_000, least=1, most=100_000, help="more at once are reset")
    buffer_bytes: int = option(default=1 << 20, unit="bytes", least=1, most=1 << 30, help="held each way, then waits")


class ActiveFault:
    """A fault that was added to a proxy."""

    def __init__(self, proxy: FaultProxy, key: int, fault: Fault) -> None:
        self.fault = fault
        self.key = key
        self._proxy = proxy

    def remove(self) -> None:
        """Take it off; nothing when it is off. What it held back goes on."""
        self._proxy.remove(self)

    def __repr__(self) -> str:
        return f"ActiveFault({self.fault!r})"


class FaultProxy:
    """Stands between a client and its server and does what networks do: late, slow, cut, lost, broken bytes.

    `with` runs it in a thread of its own, `async with` in the running loop, where its time is the loop's: in a
    `ManualEventLoop` an hour of latency takes no time, as long as client and server are in that loop too.

    Guarantees: without a fault every byte arrives, once and in order, and ends and resets pass from side to side. The
    same seed decides the same for the n-th accepted connection and the n-th added fault. At most `buffer_bytes` are
    held each way of a connection; a sender waits then. At the end no socket, thread or file is left.

    Thread safety: yes. What was called has happened when it returns.

    Args:
        upstream: The server: (host, port), or the path of a unix socket.
        listen: Where to listen: by default a free port of 127.0.0.1; (host, port), or a path.
        seed: Repeats all decisions; by default SEAWALL_SEED, else a new one that the repr shows.
        max_connections: More at once are reset, 1 to 100,000.
        buffer_bytes: Held each way of a connection, 1 to 2**30 bytes.

    Raises:
        ConfigError: An option is wrong, or `listen` is not free.
        OSError: On entering: the host has no address.

    Example:
        >>> import socket
        >>> server = socket.create_server(("127.0.0.1", 0))
        >>> with server, FaultProxy(server.getsockname(), seed=1) as proxy:
        ...     with proxy.fault(Refuse()):
        ...         socket.create_connection(proxy.address)  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        ConnectionRefusedError: Connection refused
    """

    def __init__(
        self,
        upstream: Address,
        *,
        listen: Address = ("127.0.0.1", 0),
        seed: int | None = None,
        max_connections: int = 1_000,
        buffer_bytes: int = 1 << 20,
    ) -> None:
        self.options = FaultProxyOptions(seed=seed, max_connections=max_connections, buffer_bytes=buffer_bytes)
        self.seed = Seeded(seed).origin
        self.upstream = checked_address(upstream, "upstream", 1)
        self._listen = checked_address(listen, "listen", 0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listener: Listener | None = None
        self._places: list[Place] = []
        self._state = "new"
        self._faults: dict[int, ActiveFault] = {}
        self._paused: ActiveFault | None = None
        self._next_key = 0
        self._timers: set[asyncio.TimerHandle] = set()
        self._connections: dict[int, Connection] = {}
        self._accepted = self._over_limit = 0
        self._ended = {"closed": 0, "reset": 0, "unreachable": 0}
        self._past = (FlowStats(), FlowStats())

    @property
    def address(self) -> tuple[str, int] | str:
        """Where to connect to: (host, port), or a path."""
        if self._listener is None:
            raise self._not_open()
        address = self._listener.address
        return address if isinstance(address, str) else (address[0], address[1])

    def url(self, scheme: str, path: str = "") -> str:
        """`url("redis")` is redis://127.0.0.1:PORT; `path` is put behind it. Of a unix socket: scheme and path."""
        if isinstance(self.address, str):
            return f"{scheme}://{self.address}{path}"
        host, port = self.address
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{path}"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is on now, in the order added."""
        return self._call(lambda: tuple(active.fault for active in self._faults.values()))

    @property
    def connections(self) -> tuple[ConnectionStats, ...]:
        """The connections open now, in the order accepted."""
        return self._call(lambda: tuple(map(connection_stats, self._connections.values())))

    def stats(self) -> FaultProxyStats:
        """Counts since it was opened; also after its end."""
        return self._call(self._stats)

    def add(self, fault: Fault) -> ActiveFault:
        """Put a fault on connections open now and on all to come, until it is removed.

        Raises:
            ConfigError: It is no fault, or the proxy is not open.
        """
        if not isinstance(fault, Fault):
            raise ConfigError(f"fault must be a fault of seawall.testing, got {fault!r}; for example Latency(0.2)")
        self._check_open()
        return self._call(lambda: self._add(ActiveFault(self, self._key(), fault)))

    def remove(self, active: ActiveFault) -> None:
        """Take off what `add` returned; nothing when it is off."""
        if self._state == "open":
            self._call(lambda: self._remove(active))

    def clear(self) -> None:
        """Take off all faults, paused ones included, and forget what was to be played."""
        self._check_open()
        self._call(self._clear)

    @contextmanager
    def fault(self, *faults: Fault) -> Iterator[None]:
        """Faults for the time of a block, `with` in async code too."""
        added: list[ActiveFault] = []
        try:
            added.extend(self.add(fault) for fault in faults)
            yield
        finally:
            for active in reversed(added):
                active.remove()

    def cut(self) -> None:
        """Reset all connections open now."""
        self.add(Cut())

    def pause(self) -> None:
        """Hold everything until `resume`; nothing is lost. Nothing when it is paused."""
        self._check_open()
        self._call(self._pause)

    def resume(self) -> None:
        """Go on after `pause`. Nothing when it is not paused."""
        self._check_open()
        self._call(self._resume)

    def play(self, plan: FaultPlan) -> None:
        """Add and remove faults at the times of a plan, from now on.

        Raises:
            ConfigError: It is no plan, or the proxy is not open.
        """
        if not isinstance(plan, FaultPlan):
            raise ConfigError(f"plan must be a FaultPlan, got {plan!r}; FaultPlan([FaultStep(1.0, Latency(0.2))])")
        self._check_open()
        self._call(lambda: self._play(plan))

    @property
    def playing(self) -> bool:
        """Whether a plan has steps to come."""
        return self._call(lambda: bool(self._timers))

    def __enter__(self) -> FaultProxy:
        self._begin()
        loop = asyncio.SelectorEventLoop()
        try:
            host, port = self.upstream[0], self.upstream[1]
            self._places = self._found() or places(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            self._open(loop, self._at())
        except BaseException:
            self._state = "closed"
            loop.close()
            raise
        self._thread = threading.Thread(target=_serve, args=(loop,), name="seawall-fault-proxy", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        loop, thread = self._loop, self._thread
        assert loop is not None
        assert thread is not None
        self._call(self._close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    async def __aenter__(self) -> FaultProxy:
        self._begin()
        loop = asyncio.get_running_loop()
        try:
            self._places = self._found()
            if not self._places:
                host, port = self.upstream[0], self.upstream[1]
                self._places = places(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            self._open(loop, self._at())
        except BaseException:
            self._state = "closed"
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    def __repr__(self) -> str:
        where = f", address={self.address!r}" if self._listener is not None else ""
        return f"FaultProxy({self.upstream!r}, seed={self.seed}{where}, state={self._state!r})"

    def _begin(self) -> None:
        if self._state != "new":
            raise ConfigError("a FaultProxy is opened once; make another one")
        self._state = "opening"

    def _found(self) -> list[Place]:
        return unix(self.upstream) if isinstance(self.upstream, str) else numeric(self.upstream)

    def _at(self) -> Place:
        if isinstance(self._listen, str):
            return unix(self._listen)[0]
        found = numeric(self._listen)
        if not found:
            raise ConfigError(f"listen must be a numeric address of this machine, got {self._listen!r}; '127.0.0.1'")
        return found[0]

    def _open(self, loop: asyncio.AbstractEventLoop, place: Place) -> None:
        self._listener = Listener(place)
        self._loop = loop
        loop.add_reader(self._listener.socket, self._accept)
        self._state = "open"

    def _close(self) -> None:
        assert self._listener is not None
        assert self._loop is not None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._loop.remove_reader(self._listener.socket)
        self._listener.close()
        for connection in list(self._connections.values()):
            connection.close("closed")
        self._state = "closed"

    def _call(self, fn: Callable[[], T]) -> T:
        """`fn` in the loop's thread, which everything here belongs to."""
        loop = self._loop
        if loop is None or self._state != "open" or asyncio._get_running_loop() is loop:
            return fn()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        loop.call_soon_threadsafe(functools.partial(_settle, done, fn))
        try:
            return done.result(_PATIENCE)
        except concurrent.futures.TimeoutError:
            raise RuntimeError(
                f"the event loop of {self!r} did not run for {_PATIENCE:g} s; does it wait for this thread?"
            ) from None

    def _check_open(self) -> None:
        if self._state != "open":
            raise self._not_open()

    def _not_open(self) -> ConfigError:
        return ConfigError(f"the FaultProxy is {self._state}, not open; use it in `with FaultProxy(...) as proxy:`")

    def _accept(self) -> None:
        assert self._listener is not None
        for _ in range(_ACCEPT_AT_ONCE):
            try:
                client, _address = self._listener.socket.accept()
            except OSError:
                return
            client.setblocking(False)
            self._take(client)

    def _take(self, client: socket.socket) -> None:
        assert self._loop is not None
        number, self._accepted = self._accepted, self._accepted + 1
        if len(self._connections) >= self.options.max_connections:
            self._over_limit += 1
            close_socket(client, hard=True)
            return
        room = self.options.buffer_bytes
        made = Connection(number, client, self._places, self._loop, room=room, ended=self._gone)
        self._connections[number] = made
        for key, active in self._faults.items():
            made.attach(key, active.fault, self.seed)
        made.connect()

    def _gone(self, connection: Connection, how: str) -> None:
        del self._connections[connection.number]
        self._ended[how] += 1
        there, back = (flow_stats(connection.flows.get(way)) for way in ("to_server", "to_client"))
        self._past = (self._past[0] + there, self._past[1] + back)

    def _stats(self) -> FaultProxyStats:
        live = [connection_stats(each) for each in self._connections.values()]
        there, back = self._past
        for each in live:
            there, back = there + each.to_server, back + each.to_client
        return FaultProxyStats(
            accepted=self._accepted,
            open=len(live),
            over_limit=self._over_limit,
            to_server=there,
            to_client=back,
            **self._ended,
        )

    def _key(self) -> int:
        self._next_key += 1
        return self._next_key - 1

    def _add(self, active: ActiveFault) -> ActiveFault:
        present = list(self._connections.values())
        if isinstance(active.fault, Cut):
            for connection in present:
                connection.attach(active.key, active.fault, self.seed)
                if active.key in connection.faults:
                    connection.cut()
            return active
        if isinstance(active.fault, Refuse):
            self._refuse(before=self._refusing())
        self._faults[active.key] = active
        for connection in present:
            connection.attach(active.key, active.fault, self.seed)
        return active

    def _remove(self, active: ActiveFault) -> None:
        if self._faults.pop(active.key, None) is None:
            return
        if isinstance(active.fault, Refuse) and not self._refusing():
            self._listen_again()
        for connection in list(self._connections.values()):
            connection.detach(active.key)

    def _clear(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for active in list(self._faults.values()):
            self._remove(active)
        self._paused = None

    def _pause(self) -> None:
        if self._paused is None:
            self._paused = self._add(ActiveFault(self, self._key(), Pause()))

    def _resume(self) -> None:
        if self._paused is not None:
            self._remove(self._paused)
            self._paused = None

    def _refusing(self) -> bool:
        return any(isinstance(active.fault, Refuse) for active in self._faults.values())

    def _refuse(self, *, before: bool) -> None:
        assert self._listener is not None
        assert self._loop is not None
        if not before:
            self._accept()
            self._loop.remove_reader(self._listener.socket)
            self._listener.refuse()

    def _listen_again(self) -> None:
        assert self._listener is not None
        assert self._loop is not None
        self._listener.accept()
        self._loop.add_reader(self._listener.socket, self._accept)

    def _play(self, plan: FaultPlan) -> None:
        assert self._loop is not None
        start = self._loop.time()
        for step in plan:
            # Numbered now, so that faults added by hand meanwhile change no decision of the plan.
            active = ActiveFault(self, self._key(), step.fault)
            self._at_time(start + float(step.at), functools.partial(self._add, active))  # type: ignore[arg-type]
            if step.lasts is not None:
                end = start + float(step.at) + float(step.lasts)  # type: ignore[arg-type]
                self._at_time(end, functools.partial(self._remove, active))

    def _at_time(self, when: float, act: Callable[[], object]) -> None:
        assert self._loop is not None

        def due() -> None:
            self._timers.discard(timer)
            act()

        timer = self._loop.call_at(when, due)
        self._timers.add(timer)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    # Calls of other threads that came after the stop are answered too.
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()


def _settle(done: concurrent.futures.Future[T], fn: Callable[[], T]) -> None:
    try:
        done.set_result(fn())
    except Exception as error:  # noqa: BLE001 -- raised again in the caller's thread
        done.set_exception(error)
