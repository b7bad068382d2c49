"""Connections to the members, for threads: a bounded pool for each process, and one for each watch."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from seawall.clock import Clock
from seawall.engines.etcd._errors import not_reached
from seawall.engines.etcd._link import Link
from seawall.engines.etcd._place import Place
from seawall.engines.etcd._session import Access, Ask, Steps
from seawall.engines.etcd._tasks import Tasks, unfollow
from seawall.engines.etcd._watching import Follow, Watching
from seawall.errors import ConfigError, SeawallError, Unavailable

_CHUNK = 1 << 18


class _Line:
    """An open connection of a thread."""

    def __init__(self, sock: socket.socket, link: Link, member: int) -> None:
        self.sock = sock
        self.link = link
        self.member = member

    def exchange(self, seconds: float) -> None:
        """Send what is to be sent, and take in what comes next."""
        self.sock.settimeout(seconds)
        if data := self.link.outgoing():
            self.sock.sendall(data)
            self.link.flushed()
        self._take()

    def _take(self) -> None:
        data = self.sock.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("it closed the connection")
        self.link.received(data)

    def is_good(self) -> bool:
        """Whether it is still open, after what the server has sent unasked."""
        try:
            while True:
                self.sock.settimeout(0)
                self._take()
        except (BlockingIOError, ssl.SSLWantReadError):
            return self.link.idle
        except Exception:  # noqa: BLE001 - whatever it is, another connection is better
            return False

    def wake(self) -> None:
        """Close it although somebody waits for what comes."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """Close it."""
        with suppress(OSError):
            self.sock.close()


class _Process:
    """What belongs to one process; a forked child only lets go of it."""

    def __init__(self, size: int) -> None:
        self.pid = os.getpid()
        self.places = threading.BoundedSemaphore(size)
        self.idle: list[_Line] = []
        self.watched: set[_Line] = set()


class _Followed:
    """The watch of a feed in a thread of this process."""

    def __init__(self, process: _Process, line: _Line) -> None:
        self.process = process
        self.line = line
        self.watching = Watching()
        process.watched.add(line)

    def close(self) -> None:
        """End the watch by closing its connection."""
        self.process.watched.discard(self.line)
        self.line.close()


class EtcdWire:
    """Sends calls; see `Wire` for what is promised.

    Thread safety: yes.
    """

    def __init__(self, place: Place, clock: Clock, *, size: int, connect_timeout: float) -> None:
        self._place = place
        self._clock = clock
        self._size = size
        self._connect_timeout = connect_timeout
        self._closed = False
        self._here = _Process(size)
        self._access = Access(place)
        self._tasks = Tasks(self._access, size=size, connect_timeout=connect_timeout)

    def execute(self, what: Ask | Follow, timeout: float) -> Any:
        """Send one call and wait for its answer, or for changes."""
        until_ns = self._clock.now_ns() + round(timeout * 1e9)
        process = self._process()
        if isinstance(what, Follow):
            return self._follow(process, what, until_ns)
        with self._room(process, timeout):
            line = self._line(process, until_ns)
            try:
                answer = self._drive(line, self._access.answered(line.link, what), until_ns)
            except BaseException as error:
                self._after(line, error, process)
                raise
            self._after(line, None, process)
            return answer

    @property
    def is_open_to_all(self) -> bool:
        """Whether the server did not want our user and password."""
        return self._access.token == ""

    def _after(self, line: _Line, error: BaseException | None, process: _Process) -> None:
        if self._access.keeps(line.member, error) and line.link.idle and not self._closed:
            process.idle.append(line)
        else:
            line.close()

    def _process(self) -> _Process:
        if self._closed:
            raise ConfigError(f"{self._place.name} is closed; open another engine")
        if self._here.pid != os.getpid():
            self._here = _Process(self._size)
        return self._here

    @contextmanager
    def _room(self, process: _Process, timeout: float) -> Iterator[None]:
        if not process.places.acquire(timeout=timeout):
            raise Unavailable(
                f"all {self._size} connections to {self._place.name} were busy with other calls of this process for "
                "all of the time given; raise pool_size or operation_timeout"
            )
        try:
            yield
        finally:
            process.places.release()

    def _now(self) -> float:
        return self._clock.now_ns() / 1e9

    def _left(self, until_ns: int) -> float:
        left = (until_ns - self._clock.now_ns()) / 1e9
        if left <= 0:
            raise TimeoutError
        return left

    def _line(self, process: _Process, until_ns: int) -> _Line:
        while (line := _pop(process.idle)) is not None:
            if line.member == self._access.member and line.is_good():
                return line
            line.close()
        return self._connected(until_ns)

    def _connected(self, until_ns: int) -> _Line:
        """A connection to the first member that lets us in."""
        access, count = self._access, len(self._place.members)
        for tries_left in range(count, 0, -1):
            member = access.member
            try:
                left = max(0, until_ns - self._clock.now_ns()) / 1e9
                return self._connect(member, min(self._connect_timeout, left / tries_left))
            except BaseException as error:
                access.keeps(member, error)
                if tries_left == 1 or not isinstance(error, Unavailable):
                    raise
        raise AssertionError

    def _connect(self, member: int, seconds: float) -> _Line:
        until_ns = self._clock.now_ns() + round(seconds * 1e9)
        sock = None
        try:
            sock = socket.create_connection(self._place.members[member], timeout=self._left(until_ns))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if (tls := self._place.tls) is not None:
                sock.settimeout(self._left(until_ns))
                sock = tls.wrap_socket(sock, server_hostname=self._place.members[member][0])
            line = _Line(sock, Link(self._place.authority(member), secure=tls is not None), member)
            self._drive(line, self._access.entered(line.link), until_ns)
        except BaseException as error:
            if sock is not None:
                sock.close()
            if isinstance(error, SeawallError) or not isinstance(error, Exception):
                raise
            raise not_reached(error, self._place.name) from error
        return line

    def _drive(self, line: _Line, steps: Steps[Any], until_ns: int) -> Any:
        try:
            longest = next(steps)
            while True:
                try:
                    self._step(line, longest, until_ns)
                except Exception as error:  # noqa: BLE001 - the steps know what it means
                    longest = steps.throw(error)
                else:
                    longest = next(steps)
        except StopIteration as done:
            return done.value
        finally:
            steps.close()

    def _step(self, line: _Line, longest: float | None, until_ns: int) -> None:
        left = self._left(until_ns)
        try:
            line.exchange(left if longest is None else min(left, longest))
        except TimeoutError:
            if longest is None or longest > left:
                raise

    def _follow(self, process: _Process, what: Follow, until_ns: int) -> Any:
        followed = what.feed.handle
        if not isinstance(followed, _Followed) or followed.process is not process:
            unfollow(what.feed)
            followed = what.feed.handle = _Followed(process, self._connected(until_ns))
        line = followed.line
        try:
            return self._drive(line, self._access.followed(line.link, followed.watching, what, self._now), until_ns)
        except BaseException as error:
            self._access.keeps(line.member, error)
            unfollow(what.feed)
            if isinstance(error, SeawallError) or not isinstance(error, Exception):
                raise
            raise not_reached(error, self._place.name) from error

    async def execute_async(self, what: Ask | Follow, timeout: float) -> Any:
        """`execute` for a task."""
        if self._closed:
            raise ConfigError(f"{self._place.name} is closed; open another engine")
        return await self._tasks.execute(what, timeout)

    def close(self) -> None:
        """Close what is idle; what is under way is closed at its end."""
        self._closed = True
        if self._here.pid == os.getpid():
            while (line := _pop(self._here.idle)) is not None:
                line.close()
            for line in list(self._here.watched):
                line.wake()
        self._tasks.close()

    async def close_async(self) -> None:
        """`close` for a task."""
        self.close()
        await self._tasks.close_async()


def _pop(idle: list[_Line]) -> _Line | None:
    """A connection nobody uses; None when there is none."""
    try:
        return idle.pop()
    except IndexError:
        return None
