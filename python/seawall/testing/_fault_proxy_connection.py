"""One connection through the proxy: two sockets, and a course each way."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import Callable, Sequence
from random import Random

from seawall.testing._fault_proxy_address import Place
from seawall.testing._fault_proxy_course import Course, Outcome
from seawall.testing._fault_proxy_faults import Fault

CHUNK = 65_536
"""Most bytes of one read."""
_IN_PROGRESS = (BlockingIOError, InterruptedError)


class Flow:
    """A course between two sockets. Callbacks of the loop drive it, so that nothing is left to wait for at the end."""

    def __init__(self, connection: Connection, source: socket.socket, sink: socket.socket, room: int) -> None:
        self.course = Course(room)
        self.other: Flow
        self._connection, self._source, self._sink = connection, source, sink
        self._loop = connection.loop
        self._reading = self._writing = False
        self._timer: asyncio.TimerHandle | None = None

    def pump(self) -> None:
        """Do all that can be done now, and see to being called when more can be."""
        if not self._connection.flowing:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            while self._step():
                pass
        except OSError:
            self._connection.cut()
        if self._connection.flowing:
            self._watch()

    def _step(self) -> bool:
        """Whether there may be more to do at once."""
        blocked = not self._flush()
        gate = self.course.next(self._loop.time())
        if gate.outcome is Outcome.CUT:
            self._connection.cut()
            return False
        if blocked or self.course.finished or gate.outcome is Outcome.HOLD:
            if gate.until < math.inf:
                self._timer = self._loop.call_at(gate.until, self.pump)
            return False
        if gate.outcome is Outcome.PASS:
            self.course.take(gate.size)
        elif gate.outcome is Outcome.DROP:
            self.course.drop()
        else:
            self._finish(both=gate.outcome is Outcome.CLOSE)
        return True

    def _flush(self) -> bool:
        course = self.course
        while course.outgoing:
            try:
                sent = self._sink.send(course.outgoing)
            except _IN_PROGRESS:
                return False
            course.outgoing = course.outgoing[sent:]
        return True

    def _finish(self, *, both: bool) -> None:
        self.course.finish()
        self._sink.shutdown(socket.SHUT_WR)
        if both:
            self.other.course.force(Outcome.FINISH)
            self._loop.call_soon(self.other.pump)

    def _watch(self) -> None:
        course = self.course
        if course.finished and course.ended and self.other.course.finished and self.other.course.ended:
            self._connection.close("closed")
            return
        self._read(not course.ended and (course.finished or course.free > 0))
        self._write(bool(course.outgoing))

    def _read(self, wanted: bool) -> None:
        if wanted and not self._reading:
            self._loop.add_reader(self._source, self._on_readable)
        elif self._reading and not wanted:
            self._loop.remove_reader(self._source)
        self._reading = wanted

    def _write(self, wanted: bool) -> None:
        if wanted and not self._writing:
            self._loop.add_writer(self._sink, self.pump)
        elif self._writing and not wanted:
            self._loop.remove_writer(self._sink)
        self._writing = wanted

    def _on_readable(self) -> None:
        room = CHUNK if self.course.finished else min(CHUNK, self.course.free)
        try:
            data = self._source.recv(room)
        except _IN_PROGRESS:
            return
        except OSError:
            self._connection.cut()
            return
        self.course.arrive(data, self._loop.time())
        self.pump()

    def stop(self) -> None:
        """Let go of the loop."""
        if self._timer is not None:
            self._timer.cancel()
        self._read(False)
        self._write(False)


class Connection:
    """A client's socket, the one to the server, and what is wrong between them.

    Args:
        number: Which of the proxy's connections, from 0.
        client: The accepted socket, not blocking.
        places: Where the server is, to be tried in this order.
        loop: What drives it.
        room: Most bytes to hold each way.
        ended: Called once, with "closed", "reset" or "unreachable".
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        places: Sequence[Place],
        loop: asyncio.AbstractEventLoop,
        *,
        room: int,
        ended: Callable[[Connection, str], None],
    ) -> None:
        self.number, self.loop = number, loop
        self.began = loop.time()
        self.open, self.flowing = True, False
        self.error: OSError | None = None
        self.faults: dict[int, Fault] = {}
        self._client, self._places, self._room, self._ended = client, list(places), room, ended
        self._server: socket.socket | None = None
        self.flows: dict[str, Flow] = {}
        self._waiting: list[tuple[int, Fault, str]] = []

    def connect(self) -> None:
        """Reach the server at the next place, and begin."""
        while self._places:
            place = self._places.pop(0)
            self._server = socket.socket(place.family, socket.SOCK_STREAM)
            self._server.setblocking(False)
            try:
                self._server.connect(place.address)
            except _IN_PROGRESS:
                self.loop.add_writer(self._server, self._on_connected)
                return
            except OSError as error:
                self._forget(error)
            else:
                self._begin(self._server)
                return
        self.close("unreachable", hard=True)

    def attach(self, key: int, fault: Fault, seed: int) -> None:
        """Decide by the seed whether it has the fault, and put it on if so."""
        # From numbers that other faults and connections do not change.
        chance = f"{seed}/{key}/{self.number}"
        if not self.open or Random(chance).random() >= fault.connections:
            return
        self.faults[key] = fault
        if self.flows:
            self._put(key, fault, chance)
        else:
            self._waiting.append((key, fault, chance))

    def detach(self, key: int) -> None:
        """Take a fault off."""
        self.faults.pop(key, None)
        self._waiting = [each for each in self._waiting if each[0] != key]
        for flow in self.flows.values():
            flow.course.detach(key)
        self.pump()

    def pump(self) -> None:
        """Look again, as something has changed."""
        for flow in self.flows.values():
            flow.pump()

    def cut(self) -> None:
        """Reset both sides."""
        self.close("reset", hard=True)

    def close(self, how: str, *, hard: bool = False) -> None:
        """Close both sockets, hard with a reset. Nothing when they are."""
        if not self.open:
            return
        self.open = self.flowing = False
        for flow in self.flows.values():
            flow.stop()
            flow.course.finish()
        if self._server is not None and not self.flows:
            self.loop.remove_writer(self._server)
        for side in (self._client, self._server):
            if side is not None:
                close_socket(side, hard=hard)
        self._ended(self, how)

    def _on_connected(self) -> None:
        assert self._server is not None
        self.loop.remove_writer(self._server)
        if code := self._server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._forget(OSError(code, "connect"))
            self.connect()
        else:
            self._begin(self._server)

    def _forget(self, error: OSError) -> None:
        assert self._server is not None
        self._server.close()
        self._server, self.error = None, error

    def _begin(self, server: socket.socket) -> None:
        for side in (self._client, server):
            if side.family != socket.AF_UNIX:
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        there = Flow(self, self._client, server, self._room)
        back = Flow(self, server, self._client, self._room)
        there.other, back.other = back, there
        self.flows = {"to_server": there, "to_client": back}
        self.flowing = True
        for waiting in self._waiting:
            self._put(*waiting, pump=False)
        self._waiting.clear()
        self.pump()

    def _put(self, key: int, fault: Fault, chance: str, *, pump: bool = True) -> None:
        now = self.loop.time()
        for direction, flow in self.flows.items():
            if fault.concerns(direction):
                flow.course.attach(key, fault.effect(now, Random(f"{chance}/{direction}")))
        if pump:
            self.pump()


def close_socket(side: socket.socket, *, hard: bool) -> None:
    """Close a socket, hard with a reset."""
    if hard and side.family != socket.AF_UNIX:
        # Closed without lingering, a socket sends RST and not FIN.
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.close()
