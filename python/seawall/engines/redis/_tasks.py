"""Connections to one server, for tasks: a bounded pool for each loop, and one for each watch that sleeps."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import AsyncGenerator
from typing import Any
from weakref import WeakKeyDictionary

from seawall.engines.redis._call import Call, packed
from seawall.engines.redis._errors import is_refusal, is_unknown_script, lost, not_reached, refused
from seawall.engines.redis._place import Place
from seawall.engines.redis._settings import ASK_DURABILITY, DURABLE, insist
from seawall.errors import SeawallError, Unavailable


class _Loop:
    """What belongs to one loop."""

    def __init__(self, size: int) -> None:
        self.pid = os.getpid()
        self.places = asyncio.Semaphore(size)
        self.idle: list[Any] = []
        self.sleepers: list[Any] = []
        self.keeper: AsyncGenerator[None, None] | None = None


class Tasks:
    """Sends commands of tasks.

    Thread safety: yes; each loop has connections of its own.
    """

    def __init__(self, place: Place, *, size: int, connect_timeout: float, durability: str) -> None:
        self._place = place
        self._size = size
        self._connect_timeout = connect_timeout
        self._durability = durability
        self._closed = False
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()
        self._lock = threading.Lock()

    async def execute(self, what: Call, timeout: float) -> Any:
        """Send one command and wait for its answer."""
        loop = asyncio.get_running_loop()
        here = await self._here(loop)
        until = loop.time() + timeout
        if what.sleeps:
            return await self._with(here.sleepers, what, until)
        try:
            async with asyncio.timeout_at(until):
                await here.places.acquire()
        except TimeoutError:
            raise Unavailable(
                f"all {self._size} connections to {self._place.name} were busy with other calls of this loop for all "
                "of the time given; raise pool_size or operation_timeout"
            ) from None
        try:
            return await self._with(here.idle, what, until)
        finally:
            here.places.release()

    async def _here(self, loop: asyncio.AbstractEventLoop) -> _Loop:
        with self._lock:
            here = self._loops.get(loop)
            if here is not None and here.pid == os.getpid():
                return here
            here = self._loops[loop] = _Loop(self._size)
        here.keeper = self._keeper(loop, here)
        await anext(here.keeper)
        return here

    async def _keeper(self, loop: asyncio.AbstractEventLoop, here: _Loop) -> AsyncGenerator[None, None]:
        """Closes what is idle when the loop ends: asyncio closes its generators before it closes itself."""
        try:
            yield
        finally:
            with self._lock:
                self._loops.pop(loop, None)
            _drop_all(here)
            await asyncio.sleep(0)

    async def _with(self, idle: list[Any], what: Call, until: float) -> Any:
        connection = await self._connection(idle, until)
        try:
            answer = await self._ask(connection, what, until)
        except BaseException:
            # Its late answer must not be the answer to the next call.
            _drop(connection)
            raise
        if self._closed or not connection.is_connected:
            _drop(connection)
        else:
            idle.append(connection)
        if isinstance(answer, Exception):
            raise refused(answer, self._place.name) from answer
        return answer

    async def _connection(self, idle: list[Any], until: float) -> Any:
        while idle:
            connection = idle.pop()
            if _is_quiet(connection):
                return connection
            _drop(connection)
        return await self._connect(until)

    async def _connect(self, until: float) -> Any:
        name = self._place.name
        connection = self._place.connection_async()
        try:
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + self._connect_timeout)):
                await connection.connect()
                if self._durability in DURABLE:
                    await connection.send_command(*ASK_DURABILITY)
                    insist(await connection.read_response(), self._durability, name)
        except BaseException as error:
            _drop(connection)
            if isinstance(error, SeawallError) or not isinstance(error, Exception):
                raise
            raise (refused if is_refusal(error) else not_reached)(error, name) from error
        return connection

    async def _ask(self, connection: Any, what: Call, until: float) -> Any:
        try:
            async with asyncio.timeout_at(until):
                answer = await self._exchange(connection, what.command)
                if is_unknown_script(answer):
                    answer = await self._exchange(connection, what.loading)
                return answer
        except Exception as error:
            # A transport may have sent all before it says that it is broken: what was done is not known.
            raise lost(error, self._place.name) from error

    async def _exchange(self, connection: Any, command: tuple[Any, ...]) -> Any:
        """The answer; a refusal is one."""
        await connection.send_packed_command(packed(connection, command), check_health=False)
        try:
            return await connection.read_response()
        except Exception as error:
            if is_refusal(error):
                return error
            raise

    def close(self) -> None:
        """Close what is idle, each in its own loop; what is under way is closed at its end."""
        self._closed = True
        with self._lock:
            loops = list(self._loops.items())
        for loop, here in loops:
            if here.pid == os.getpid() and not loop.is_closed():
                loop.call_soon_threadsafe(_drop_all, here)

    async def close_async(self) -> None:
        """`close`, done for this loop when it returns."""
        self.close()
        # What was asked for above comes first.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def _is_quiet(connection: Any) -> bool:
    """Whether an idle connection is still open and nothing unasked has come."""
    reader, writer = connection._reader, connection._writer
    if reader is None or reader.at_eof() or reader.exception() is not None or writer.is_closing():
        return False
    # A loop that has not run since the server ended has not heard of it yet.
    poller = select.poll()
    poller.register(writer.get_extra_info("socket"), select.POLLIN)
    return not poller.poll(0)


def _drop(connection: Any) -> None:
    """Close without waiting: TLS would say goodbye first, and wait for the answer longer than a loop may live."""
    writer = connection._writer
    connection._reader = connection._writer = None
    if writer is not None:
        writer.transport.abort()


def _drop_all(here: _Loop) -> None:
    for idle in (here.idle, here.sleepers):
        while idle:
            _drop(idle.pop())
