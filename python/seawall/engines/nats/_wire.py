"""One connection to one of the servers, shared by all threads, tasks and loops of this process."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from seawall.engines._portal import PortalWire
from seawall.engines.nats import _errors as errors
from seawall.engines.nats._call import Call
from seawall.engines.nats._link import Link, client_kind
from seawall.errors import AuthFailed, ConfigError, Unavailable

Step = Callable[[Call], Awaitable[Any]]
"""What an operation sends: a coroutine function that asks the server through a Call."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the servers are, and how to be let in."""

    servers: tuple[str, ...]
    name: str
    settings: dict[str, Any] = field(default_factory=dict, repr=False)


class NatsWire(PortalWire):
    """Runs steps; see `Wire` for what is promised.

    A connection whose server did not answer in time is used up by the calls that have it; others open another one. The
    client library does not reconnect: what it would send again later, nobody waits for.

    Args:
        place: The servers.
        connect_timeout: In seconds.

    Attributes:
        settled: Streams that were made or found usable, noted by the ports; emptied when one is missed.
        replicated: Those of them that several servers have.
    """

    def __init__(self, place: Place, connect_timeout: float) -> None:
        super().__init__(place.name)
        self._place = place
        self._connect_timeout = connect_timeout
        self._kind = client_kind()
        self._link: Link | None = None
        self._connecting: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._first = 0
        self._closing: set[asyncio.Future[None]] = set()
        self.settled: set[str] = set()
        self.replicated: set[str] = set()

    async def _execute(self, what: Step, timeout: float) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        link = await self._open_link(loop, until)
        call = Call(link, self.replicated)
        link.users += 1
        try:
            async with asyncio.timeout_at(until):
                return await what(call)
        except TimeoutError as error:
            self._retire(link)
            raise self._lost(call, f"no answer in {timeout:.3g} s") from error
        except errors.Lost as error:
            self._retire(link)
            raise self._lost(call, str(error)) from error
        except (errors.Refused, errors.NobodyThere, errors.Denied, errors.TooLarge) as error:
            raise self._refused(call, error) from error
        finally:
            link.users -= 1
            if link.retired and not link.users:
                # Nobody waits for a server that may not answer.
                closing = asyncio.ensure_future(link.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

    def _lost(self, call: Call, text: str) -> Exception:
        return (errors.not_known if call.changing else errors.no_answer)(text, self._place.name)

    def _refused(self, call: Call, error: Exception) -> Exception:
        if call.changing:
            return errors.not_known(str(error), self._place.name)
        if isinstance(error, errors.Refused):
            if error.code == errors.NO_STREAM:
                self.settled.clear()
            return errors.translated(error, self._place.name)
        if isinstance(error, errors.Denied):
            return errors.denied(str(error), self._place.name)
        if isinstance(error, errors.TooLarge):
            return ConfigError(f"{self._place.name}: {error}; raise max_payload there to 1,100,000 at least")
        if str(error).startswith("$JS.API"):
            return errors.no_jetstream(self._place.name)
        self.settled.clear()
        return Unavailable(f"{self._place.name} has no stream for {error}; it is made anew")

    def _retire(self, link: Link) -> None:
        link.retired = True
        if self._link is link:
            self._link = None

    # Connecting.

    async def _open_link(self, loop: asyncio.AbstractEventLoop, until: float) -> Link:
        if self._loop is not loop:
            # A forked child: the parent's connection and its lock are not ours.
            self._loop, self._link, self._connecting = loop, None, asyncio.Lock()
        assert self._connecting is not None
        if self._link is not None and self._link.is_open:
            return self._link
        try:
            async with asyncio.timeout_at(until):
                await self._connecting.acquire()
        except TimeoutError as error:
            raise errors.not_reached("no answer in time", self._place.name) from error
        try:
            if self._link is None or not self._link.is_open:
                self._link = await self._connect(until)
            return self._link
        finally:
            self._connecting.release()

    async def _connect(self, until: float) -> Link:
        """A connection to the first server that answers, beginning with the one that did last."""
        servers, failed = self._place.servers, list[Exception]()
        for offset in range(len(servers)):
            place = (self._first + offset) % len(servers)
            left = (until - asyncio.get_running_loop().time()) / (len(servers) - offset)
            try:
                link = await self._connect_to(servers[place], min(self._connect_timeout, max(left, 0.001)))
            except (AuthFailed, Unavailable) as error:
                failed.append(error)
            else:
                self._first = place
                return link
        raise next((error for error in failed if isinstance(error, AuthFailed)), failed[-1])

    async def _connect_to(self, server: str, timeout: float) -> Link:
        link = Link(self._kind(), f"seawall-{secrets.token_hex(8)}")
        try:
            await link.open(server, self._place.settings, timeout)
        except BaseException as error:
            await link.close()
            if not isinstance(error, Exception):
                raise
            raise errors.not_reached(link.why(error), self._place.name) from error
        version = link.version
        if tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2]) < errors.OLDEST:
            await link.close()
            raise errors.too_old(version, self._place.name)
        return link

    async def _disconnect(self) -> None:
        link, self._link = self._link, None
        if link is not None and link.loop is asyncio.get_running_loop():
            await link.close()
