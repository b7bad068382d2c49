"""One connection, without its socket: calls of gRPC over HTTP/2, several at a time. Bytes in, bytes out.

Source: the gRPC protocol over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md); RFC 9113.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from functools import singledispatchmethod
from typing import Any
from urllib.parse import unquote

from h2 import events as happened
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

_PREFIX = struct.Struct(">BI")
_WINDOW = 1 << 24
_LAST = (1 << 31) - 1_000
_FIXED = (("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "seawall"))
_FRAME_HEAD, _SETTINGS = 9, b"\x04"
OK = 0
_NO_STATUS = 2


class NotGrpc(Exception):
    """Whoever is at the other end speaks something else, or has made a mistake in it."""


class Call:
    """One call on its way, or a stream of messages.

    Attributes:
        messages: What has come and was not read yet.
        status: The server's code once it has ended; None before, or when it was cut off.
        text: What the server says to that code.
        ended: Nothing more will come.
        untouched: The server says that it has not looked at it.
        sent: All of it is out, so the server may act on it.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.messages: deque[bytes] = deque()
        self.status: int | None = None
        self.text = ""
        self.ended = False
        self.untouched = False
        self.sent = False
        self.waiting = bytearray()
        self.closes = False
        self.partial = bytearray()
        self.unread = 0


class Link:
    """The calls of one connection.

    Args:
        authority: Host and port, as the server is called.
        secure: Whether the bytes go through TLS.
    """

    def __init__(self, authority: str, *, secure: bool) -> None:
        self._h2 = H2Connection(
            H2Configuration(
                header_encoding="utf-8",
                validate_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._calls: dict[int, Call] = {}
        self._first = [(":method", "POST"), (":scheme", "https" if secure else "http"), (":authority", authority)]
        self._first_bytes = b""
        self.ready = False
        self.over = False
        self._h2.initiate_connection()
        self._h2.update_settings({SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW})
        self._h2.increment_flow_control_window(_WINDOW)

    def begin(self, path: str, message: bytes, headers: tuple[tuple[str, str], ...] = (), *, ends: bool = True) -> Call:
        """Begin a call with its first message; `ends` when it is the only one."""
        call = Call(self._h2.get_next_available_stream_id())
        self._calls[call.number] = call
        # A connection has so many numbers and no more; at a thousand calls a second they last two weeks.
        self.over = self.over or call.number > _LAST
        self._h2.send_headers(call.number, [*self._first, (":path", path), *_FIXED, *headers])
        self.say(call, message, ends=ends)
        return call

    def say(self, call: Call, message: bytes, *, ends: bool = False) -> None:
        """Send another message."""
        call.waiting += _PREFIX.pack(0, len(message)) + message
        call.closes = ends
        self._push(call)

    def drop(self, call: Call) -> None:
        """Stop a call before its end."""
        if not call.ended and not self.over:
            self._h2.reset_stream(call.number, ErrorCodes.CANCEL)
        self._end(call)

    def outgoing(self) -> bytes:
        """What is to be sent now."""
        return self._h2.data_to_send()

    def flushed(self) -> None:
        """What was to be sent is out."""
        for call in self._calls.values():
            call.sent = not call.waiting

    def received(self, data: bytes) -> None:
        """Take in what has come.

        Raises:
            NotGrpc: It is no HTTP/2.
        """
        try:
            self._greeted(data)
            for event in self._h2.receive_data(data):
                self._take(event)
        except Exception as error:
            self.over = True
            if isinstance(error, NotGrpc):
                raise
            raise NotGrpc(str(error) or type(error).__name__) from error
        for call in list(self._calls.values()):
            if call.waiting:
                self._push(call)
        self.settle()

    def settle(self) -> None:
        """Let the server go on with what was read: what is whole and not read yet is never more than the window."""
        for call in self._calls.values():
            if call.unread and not call.messages:
                self._h2.acknowledge_received_data(call.unread, call.number)
                call.unread = 0

    def _greeted(self, data: bytes) -> None:
        """The first frame has to be one of settings; the library would wait for the end of what only looks like one."""
        missing = _FRAME_HEAD - len(self._first_bytes)
        if missing > 0:
            self._first_bytes += data[:missing]
            if self._first_bytes[3:4] not in (b"", _SETTINGS):
                raise NotGrpc(f"its first words are {self._first_bytes!r}")

    @property
    def idle(self) -> bool:
        """Whether it can carry another call and carries none."""
        return self.ready and not self.over and not self._calls

    def _push(self, call: Call) -> None:
        while call.waiting:
            room = min(self._h2.local_flow_control_window(call.number), self._h2.max_outbound_frame_size)
            if room <= 0:
                return
            part = bytes(call.waiting[:room])
            del call.waiting[:room]
            self._h2.send_data(call.number, part, end_stream=call.closes and not call.waiting)

    def _end(self, call: Call) -> None:
        call.ended = True
        call.waiting.clear()
        if call.unread and not self.over:
            # The connection has a window too, for all calls.
            self._h2.acknowledge_received_data(call.unread, call.number)
            call.unread = 0
        self._calls.pop(call.number, None)

    @singledispatchmethod
    def _take(self, event: happened.Event) -> None:
        """Whatever else happens is the library's own business."""

    @_take.register
    def _(self, _event: happened.RemoteSettingsChanged) -> None:
        self.ready = True

    @_take.register
    def _(self, event: happened.ConnectionTerminated) -> None:
        self.over = True
        for call in list(self._calls.values()):
            call.untouched = call.number > (event.last_stream_id or 0)
            if call.untouched:
                self._end(call)

    @_take.register
    def _(self, event: happened.StreamReset) -> None:
        if (call := self._calls.get(event.stream_id)) is not None:
            call.untouched = event.error_code == ErrorCodes.REFUSED_STREAM
            self._end(call)

    @_take.register
    def _(self, event: happened.ResponseReceived) -> None:
        self._look(event.stream_id, event.headers)

    @_take.register
    def _(self, event: happened.TrailersReceived) -> None:
        self._look(event.stream_id, event.headers)

    @_take.register
    def _(self, event: happened.StreamEnded) -> None:
        if (call := self._calls.get(event.stream_id)) is not None:
            if call.status is None:
                call.status, call.text = _NO_STATUS, "ended without a status"
            self._end(call)

    @_take.register
    def _(self, event: happened.DataReceived) -> None:
        call = self._calls.get(event.stream_id)
        if call is None:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            return
        call.unread += event.flow_controlled_length
        call.partial += event.data
        _cut(call)

    def _look(self, number: int, headers: Iterable[Any]) -> None:
        found: dict[str, str] = dict(headers)
        call = self._calls.get(number)
        if call is None:
            return
        if found.get(":status", "200") != "200":
            raise NotGrpc(f"it answers with HTTP status {found[':status']}")
        if "grpc-status" in found:
            call.status = int(found["grpc-status"])
            call.text = unquote(found.get("grpc-message", ""))


def _cut(call: Call) -> None:
    """Take whole messages off what has come."""
    while len(call.partial) >= _PREFIX.size:
        packed, size = _PREFIX.unpack_from(call.partial)
        if packed:
            raise NotGrpc("it packs its answers although nobody asked for it")
        end = _PREFIX.size + size
        if len(call.partial) < end:
            return
        call.messages.append(bytes(call.partial[_PREFIX.size : end]))
        del call.partial[:end]
