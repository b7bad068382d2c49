"""Connections to one server, for threads: a bounded pool for each process, and one for each watch that sleeps."""

from __future__ import annotations

import os
import threading
from typing import Any

from seawall.clock import Clock
from seawall.engines.redis._call import Call
from seawall.engines.redis._errors import is_refusal, is_unknown_script, lost, not_reached, refused
from seawall.engines.redis._place import Place
from seawall.engines.redis._settings import ASK_DURABILITY, DURABLE, insist
from seawall.engines.redis._tasks import Tasks
from seawall.errors import ConfigError, SeawallError, Unavailable


class _Process:
    """What belongs to one process; a forked child only lets go of it."""

    def __init__(self, size: int) -> None:
        self.pid = os.getpid()
        self.places = threading.Semaphore(size)
        self.idle: list[Any] = []
        self.sleepers: list[Any] = []


class RedisWire:
    """Sends commands; see `Wire` for what is promised.

    Thread safety: yes.
    """

    def __init__(self, place: Place, clock: Clock, *, size: int, connect_timeout: float, durability: str) -> None:
        self._place = place
        self._clock = clock
        self._size = size
        self._connect_timeout = connect_timeout
        self._durability = durability
        self._closed = False
        self._here = _Process(size)
        self._tasks = Tasks(place, size=size, connect_timeout=connect_timeout, durability=durability)

    def execute(self, what: Call, timeout: float) -> Any:
        """Send one command and wait for its answer."""
        until_ns = self._clock.now_ns() + round(timeout * 1e9)
        process = self._process()
        if what.sleeps:
            return self._with(process.sleepers, what, until_ns)
        self._enter(process, timeout)
        try:
            return self._with(process.idle, what, until_ns)
        finally:
            process.places.release()

    def _with(self, idle: list[Any], what: Call, until_ns: int) -> Any:
        connection = self._connection(idle, until_ns)
        try:
            answer = self._ask(connection, what, until_ns)
        except BaseException:
            # Its late answer must not be the answer to the next call.
            connection.disconnect()
            raise
        if self._closed or connection._sock is None:
            connection.disconnect()
        else:
            idle.append(connection)
        if isinstance(answer, Exception):
            raise refused(answer, self._place.name) from answer
        return answer

    def _process(self) -> _Process:
        if self._closed:
            raise ConfigError(f"{self._place.name} is closed; open another engine")
        if self._here.pid != os.getpid():
            self._here = _Process(self._size)
        return self._here

    def _enter(self, process: _Process, timeout: float) -> None:
        if not process.places.acquire(timeout=timeout):
            raise Unavailable(
                f"all {self._size} connections to {self._place.name} were busy with other calls of this process for "
                "all of the time given; raise pool_size or operation_timeout"
            )

    def _left(self, until_ns: int) -> float:
        left = (until_ns - self._clock.now_ns()) / 1e9
        if left <= 0:
            raise TimeoutError
        return left

    def _connection(self, idle: list[Any], until_ns: int) -> Any:
        while (connection := _pop(idle)) is not None:
            if _is_quiet(connection):
                return connection
            connection.disconnect()
        return self._connect(until_ns)

    def _connect(self, until_ns: int) -> Any:
        name = self._place.name
        connection = None
        try:
            connection = self._place.connection(min(self._left(until_ns), self._connect_timeout))
            connection.connect()
            if self._durability in DURABLE:
                connection.send_command(*ASK_DURABILITY)
                insist(connection.read_response(), self._durability, name)
        except BaseException as error:
            if connection is not None:
                connection.disconnect()
            if isinstance(error, SeawallError) or not isinstance(error, Exception):
                raise
            raise (refused if is_refusal(error) else not_reached)(error, name) from error
        return connection

    def _ask(self, connection: Any, what: Call, until_ns: int) -> Any:
        answer = self._exchange(connection, what.command, until_ns)
        if is_unknown_script(answer):
            answer = self._exchange(connection, what.loading, until_ns)
        return answer

    def _exchange(self, connection: Any, command: tuple[Any, ...], until_ns: int) -> Any:
        """The answer; a refusal is one."""
        try:
            connection._sock.settimeout(self._left(until_ns))
            connection.send_packed_command(connection.pack_command(*command), check_health=False)
        except Exception as error:
            # The library raises before the last byte is out, and the server runs nothing before it has that.
            raise not_reached(error, self._place.name) from error
        try:
            return connection.read_response()
        except Exception as error:
            if is_refusal(error):
                return error
            raise lost(error, self._place.name) from error

    async def execute_async(self, what: Call, timeout: float) -> Any:
        """`execute` for a task."""
        if self._closed:
            raise ConfigError(f"{self._place.name} is closed; open another engine")
        return await self._tasks.execute(what, timeout)

    def close(self) -> None:
        """Close what is idle; what is under way is closed at its end."""
        self._closed = True
        if self._here.pid == os.getpid():
            for idle in (self._here.idle, self._here.sleepers):
                while (connection := _pop(idle)) is not None:
                    connection.disconnect()
        self._tasks.close()

    async def close_async(self) -> None:
        """`close` for a task."""
        self.close()
        await self._tasks.close_async()


def _pop(idle: list[Any]) -> Any:
    """A connection nobody uses; None when there is none."""
    try:
        return idle.pop()
    except IndexError:
        return None


def _is_quiet(connection: Any) -> bool:
    """Whether an idle connection is still open and nothing unasked has come."""
    try:
        return not connection.can_read(0)
    except Exception:  # noqa: BLE001 - whatever it is, another connection is better
        return False
