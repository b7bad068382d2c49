"""Requests made by the engine in C++, on threads of its own and without the GIL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING

from seawall.errors import ConfigError
from seawall.measure.load.drive._driver import Driver, Work
from seawall.measure.load.result._outcomes import kind_of
from seawall.measure.load.target._request import Request
from seawall.measure.load.target._wire import can_be_native, checks_of, host_of, rendered

if TYPE_CHECKING:
    from seawall._core import http
    from seawall.measure.load.target._scenario import Scenario

_NAP = 0.02
# Due times are handed over at least so many seconds, and at least so many of them, before they are due.
_AHEAD = 1.0
_AT_LEAST = 65_536
_DNS = 3
_GIVE_UP_AFTER = 20


class NativeDriver(Driver):
    """Hands due times to the engine in C++ and waits for its end. Made and used inside one event loop.

    Cost: about 2 us a request, besides the system's own for sending and receiving.
    """

    engine = "HTTP/1.1 in C++"

    def __init__(self, engine: http.Engine, request: Request, work: Work) -> None:
        self._engine, self._request = engine, request
        self._stream, self._bounds, self._tally = work.stream, work.bounds, work.record.tally
        self._clock = asyncio.get_running_loop().time
        self._fed, self._fed_until, self._fed_all = 0, -1.0, work.bounds.closed is not None

    @property
    def under_way(self) -> int:
        """Calls started and not ended."""
        return self._engine.counts().under_way

    async def run(self, stop: asyncio.Event) -> bool:
        """Make all calls and wait for their ends; whether the plan was done."""
        self._engine.start(round(self._bounds.zero * 1e9))
        cut = False
        try:
            while not self._engine.join(0.0):
                self._feed()
                if stop.is_set() or self._bounds.enough():
                    cut = True
                    break
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_NAP):
                        await stop.wait()
        finally:
            self._engine.stop()
            await self._until_ended()
            self.over = self._clock() - self._bounds.zero
        self._tell_first_error()
        return self._fed_all and not cut and not self._engine.hopeless

    @property
    def cpu(self) -> float:
        """Seconds of a processor that the busiest thread used."""
        return max(report.cpu_seconds for report in self._engine.reports())

    @property
    def waited(self) -> float:
        """Seconds that a thread was ready and had no processor."""
        return max(report.delayed_seconds for report in self._engine.reports())

    def _feed(self) -> None:
        now = self._clock() - self._bounds.zero
        while not self._fed_all and (
            self._fed_until < now + _AHEAD or self._fed - self._engine.counts().started < _AT_LEAST
        ):
            block = self._stream.take(now)
            if block is None:
                self._engine.finish_feed()
                self._fed_all = True
            else:
                self._engine.feed(block)
                self._fed, self._fed_until = self._fed + len(block), float(block[-1])

    async def _until_ended(self) -> None:
        # There is no event to wait for; a stopped engine ends within a turn of its loops.
        while not self._engine.join(0.0):  # noqa: ASYNC110
            await asyncio.sleep(_NAP / 20)

    def _tell_first_error(self) -> None:
        first = self._engine.first_error
        if first is None or first[0] == _DNS:
            return
        code, number = first
        host, port = host_of(self._request)
        words = os.strerror(number) if number else kind_of(code)
        self._tally.note(code, f"{host}:{port}: {words}")


async def native_driver(scenario: Scenario, work: Work, *, threads: int) -> NativeDriver:
    """Resolve the name, render the requests and make the engine.

    Raises:
        ConfigError: The engine in C++ cannot make these requests.
    """
    from seawall._core import http

    request, bounds = scenario.target, work.bounds
    assert isinstance(request, Request)
    closed = bounds.closed
    engine = http.Engine(
        addresses=await _addresses(request, work),
        requests=rendered(scenario),
        tally=work.record.tally._capsule(),
        checks=checks_of(request),
        threads=min(threads, bounds.places),
        max_connections=bounds.places,
        timeout=bounds.timeout,
        until=bounds.until if closed is None else bounds.end,
        closed=closed is not None,
        think=0.0 if closed is None else closed.think,
        give_up_after=_GIVE_UP_AFTER,
        first=work.stream.first,
        stride=work.stream.stride,
    )
    return NativeDriver(engine, request, work)


def wants_native(scenario: Scenario) -> bool:
    """Whether a scenario is for the engine in C++.

    Raises:
        ConfigError: It asks for that engine and cannot have it.
    """
    if can_be_native(scenario):
        return True
    if scenario.engine == "native":
        raise ConfigError(
            f"engine native makes plain http requests on Linux, at most 100,000 different ones, "
            f"not {scenario.describe()}; use aiohttp, or leave it out"
        )
    return False


async def _addresses(request: Request, work: Work) -> list[tuple[str, int]]:
    host, port = host_of(request)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        work.record.tally.note(_DNS, f"{host}: {error.strerror}")
        return []
    return list(dict.fromkeys((str(address[0]), int(address[1])) for *_, address in found))
