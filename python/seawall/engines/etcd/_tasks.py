"""Connections to the members, for tasks: a bounded pool for each loop, and one for each watch."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import AsyncGenerator
from typing import Any
from weakref import WeakKeyDictionary

from seawall.engines._ports import Feed
from seawall.engines.etcd._errors import not_reached
from seawall.engines.etcd._link import Link
from seawall.engines.etcd._session import Access, Ask, Steps
from seawall.engines.etcd._watching import Follow, Watching
from seawall.errors import SeawallError, Unavailable

_LOOKS = 16


class _Line(asyncio.Protocol):
    """An open connection of a loop. What comes is taken in at once, also when nobody waits for it."""

    def __init__(self, link: Link, member: int) -> None:
        self.link = link
        self.member = member
        self.transport: asyncio.Transport | None = None
        self._broken: Exception | None = None
        self._fresh = False
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Something has come."""
        try:
            self.link.received(data)
        except Exception as error:  # noqa: BLE001 - told to whoever waits for an answer
            self._broken = error
        self._flush()
        self._wake()

    def eof_received(self) -> None:
        """It closes."""
        self._broken = self._broken or ConnectionResetError("it closed the connection")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._broken = self._broken or exc or ConnectionResetError("it closed the connection")
        self._wake()

    def _wake(self) -> None:
        self._fresh = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _flush(self) -> None:
        if (data := self.link.outgoing()) and self.transport is not None:
            self.transport.write(data)
            # A transport may have sent all before it says that it is broken.
            self.link.flushed()

    async def exchange(self, until: float) -> None:
        """Send what is to be sent, and wait until something comes."""
        if self._broken is not None:
            raise self._broken
        self._flush()
        if not self._fresh:
            self._waiter = asyncio.get_running_loop().create_future()
            async with asyncio.timeout_at(until):
                await self._waiter
        self._fresh = False
        if self._broken is not None:
            raise self._broken

    async def is_good(self) -> bool:
        """Whether it is still open, after what the server has sent unasked."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        # A loop that has not run since the server ended has not heard of it yet: it hears when it looks again.
        poller = select.poll()
        poller.register(transport.get_extra_info("socket"), select.POLLIN)
        for _ in range(_LOOKS):
            if self._broken is not None or not poller.poll(0):
                break
            await asyncio.sleep(0)
        return self._broken is None and self.link.idle

    def close(self) -> None:
        """Close without waiting."""
        if self.transport is not None:
            self.transport.abort()


class _Loop:
    """What belongs to one loop."""

    def __init__(self, size: int) -> None:
        self.pid = os.getpid()
        self.places = asyncio.Semaphore(size)
        self.idle: list[_Line] = []
        self.watched: set[_Line] = set()
        self.keeper: AsyncGenerator[None, None] | None = None

    def close(self) -> None:
        """Close all that nobody waits for."""
        for line in (*self.idle, *self.watched):
            line.close()
        self.idle.clear()
        self.watched.clear()


class _Followed:
    """The watch of a feed in a loop of this process."""

    def __init__(self, loop: asyncio.AbstractEventLoop, here: _Loop, line: _Line) -> None:
        self.loop = loop
        self.here = here
        self.line = line
        self.watching = Watching()

    def close(self) -> None:
        """End the watch by closing its connection, in its loop, from any thread."""
        if self.here.pid != os.getpid() or self.loop.is_closed():
            return
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self.loop:
            self._close()
        else:
            self.loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        self.here.watched.discard(self.line)
        self.line.close()


class Tasks:
    """Sends calls of tasks.

    Thread safety: yes; each loop has connections of its own.
    """

    def __init__(self, access: Access, *, size: int, connect_timeout: float) -> None:
        self._access = access
        self._place = access.place
        self._size = size
        self._connect_timeout = connect_timeout
        self._closed = False
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()
        self._pid, self._lock = os.getpid(), threading.Lock()

    async def execute(self, what: Ask | Follow, timeout: float) -> Any:
        """Send one call and wait for its answer, or for changes."""
        loop = asyncio.get_running_loop()
        here = await self._here(loop)
        until = loop.time() + timeout
        if isinstance(what, Follow):
            return await self._follow(loop, here, what, until)
        try:
            async with asyncio.timeout_at(until):
                await here.places.acquire()
        except TimeoutError:
            raise Unavailable(
                f"all {self._size} connections to {self._place.name} were busy with other calls of this loop for all "
                "of the time given; raise pool_size or operation_timeout"
            ) from None
        try:
            return await self._ask(here, what, until)
        finally:
            here.places.release()

    async def _here(self, loop: asyncio.AbstractEventLoop) -> _Loop:
        if self._pid != os.getpid():
            # It may have been held when we were forked.
            self._pid, self._lock = os.getpid(), threading.Lock()
        with self._lock:
            here = self._loops.get(loop)
            if here is not None and here.pid == os.getpid():
                return here
            here = self._loops[loop] = _Loop(self._size)
        here.keeper = self._keeper(loop, here)
        await anext(here.keeper)
        return here

    async def _keeper(self, loop: asyncio.AbstractEventLoop, here: _Loop) -> AsyncGenerator[None, None]:
        """Closes what is open when the loop ends: asyncio closes its generators before it closes itself."""
        try:
            yield
        finally:
            with self._lock:
                self._loops.pop(loop, None)
            here.close()
            await asyncio.sleep(0)

    async def _ask(self, here: _Loop, what: Ask, until: float) -> Any:
        line = await self._line(here, until)
        try:
            answer = await self._drive(line, self._access.answered(line.link, what), until)
        except BaseException as error:
            self._after(here, line, error)
            raise
        self._after(here, line, None)
        return answer

    def _after(self, here: _Loop, line: _Line, error: BaseException | None) -> None:
        if self._access.keeps(line.member, error) and line.link.idle and not self._closed:
            here.idle.append(line)
        else:
            line.close()

    async def _line(self, here: _Loop, until: float) -> _Line:
        while here.idle:
            line = here.idle.pop()
            if line.member == self._access.member and await line.is_good():
                return line
            line.close()
        return await self._connected(until)

    async def _connected(self, until: float) -> _Line:
        """A connection to the first member that lets us in."""
        access, loop = self._access, asyncio.get_running_loop()
        for tries_left in range(len(self._place.members), 0, -1):
            member = access.member
            seconds = min(self._connect_timeout, (until - loop.time()) / tries_left)
            try:
                return await self._connect(member, loop.time() + seconds)
            except BaseException as error:
                access.keeps(member, error)
                if tries_left == 1 or not isinstance(error, Unavailable):
                    raise
        raise AssertionError

    async def _connect(self, member: int, until: float) -> _Line:
        place, loop = self._place, asyncio.get_running_loop()
        line = _Line(Link(place.authority(member), secure=place.tls is not None), member)
        host, port = place.members[member]
        try:
            async with asyncio.timeout_at(until):
                await loop.create_connection(
                    lambda: line, host, port, ssl=place.tls, server_hostname=host if place.tls else None
                )
            await self._drive(line, self._access.entered(line.link), until)
        except BaseException as error:
            line.close()
            if isinstance(error, SeawallError) or not isinstance(error, Exception):
                raise
            raise not_reached(error, place.name) from error
        return line

    async def _drive(self, line: _Line, steps: Steps[Any], until: float) -> Any:
        try:
            longest = next(steps)
            while True:
                try:
                    await self._step(line, longest, until)
                except Exception as error:  # noqa: BLE001 - the steps know what it means
                    longest = steps.throw(error)
                else:
                    longest = next(steps)
        except StopIteration as done:
            return done.value
        finally:
            steps.close()

    async def _step(self, line: _Line, longest: float | None, until: float) -> None:
        sooner = None if longest is None else asyncio.get_running_loop().time() + longest
        try:
            await line.exchange(until if sooner is None else min(until, sooner))
        except TimeoutError:
            if sooner is None or sooner > until:
                raise

    async def _follow(self, loop: asyncio.AbstractEventLoop, here: _Loop, what: Follow, until: float) -> Any:
        followed = what.feed.handle
        if not isinstance(followed, _Followed) or followed.here is not here:
            unfollow(what.feed)
            line = await self._connected(until)
            here.watched.add(line)
            followed = what.feed.handle = _Followed(loop, here, line)
        line = followed.line
        try:
            return await self._drive(line, self._access.followed(line.link, followed.watching, what, loop.time), until)
        except Exception as error:
            self._access.keeps(line.member, error)
            unfollow(what.feed)
            if isinstance(error, SeawallError):
                raise
            raise not_reached(error, self._place.name) from error

    def close(self) -> None:
        """Close what is open, each in its own loop; what is under way is closed at its end."""
        self._closed = True
        with self._lock:
            loops = list(self._loops.items())
        for loop, here in loops:
            if here.pid == os.getpid() and not loop.is_closed():
                loop.call_soon_threadsafe(here.close)

    async def close_async(self) -> None:
        """`close`, done for this loop when it returns."""
        self.close()
        # What was asked for above comes first.
        for _ in range(3):
            await asyncio.sleep(0)


def unfollow(feed: Feed) -> None:
    """End the watch of a feed, whoever has followed it."""
    followed, feed.handle = feed.handle, None
    if followed is not None:
        followed.close()
