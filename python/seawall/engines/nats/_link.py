"""One connection to a server: questions with one answer or many, which end when the connection does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from seawall.engines._registry import missing_library
from seawall.engines.nats._errors import Denied, Lost, TooLarge

_NO_TLS = "the server does not ask for TLS, and tls:// sends nothing without it"


def client_kind() -> Any:
    """The client library's client, which sends nothing in the clear when it is to use TLS."""
    try:
        from nats.aio.client import Client
    except ImportError as error:
        raise missing_library("nats", "nats-py", "nats") from error

    class _Client(Client):
        async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
            if initial_connection and "tls" in self.options and not info.get("tls_required"):
                raise OSError(_NO_TLS)
            await super()._process_info(info, initial_connection)

    return _Client


class Link:
    """A connection.

    Args:
        client: The client library's, not yet connected.
        name: Of this connection, used once.
    """

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        self.batches = 0
        self.loop = asyncio.get_running_loop()
        self.users = 0
        self.retired = False
        self.reason = "the connection has ended"
        self._inbox = ""
        self._number = 0
        self._waiting: dict[str, tuple[str, asyncio.Queue[Any]]] = {}

    async def open(self, server: str, settings: dict[str, Any], timeout: float) -> None:
        """Connect; raises what the client library raises."""
        try:
            async with asyncio.timeout(timeout):
                await self.client.connect(
                    servers=[server], allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0,
                    connect_timeout=timeout, error_cb=self._heed, closed_cb=self._ended, **settings,
                )  # fmt: skip
                self._inbox = self.client.new_inbox()
                await self.client.subscribe(f"{self._inbox}.*", cb=self._deliver)
        except TimeoutError:
            raise TimeoutError("no answer in time") from None

    @property
    def is_open(self) -> bool:
        """Whether the client believes to be connected."""
        return bool(self.client.is_connected) and not self.retired

    @property
    def version(self) -> str:
        """Of the server."""
        return str(self.client._server_info.get("version", "0"))

    def why(self, error: Exception) -> str:
        """Why it could not be opened: the library says `no servers` and tells the reason beside."""
        return self.reason if type(error).__name__ == "NoServersError" else str(error) or type(error).__name__

    async def _deliver(self, message: Any) -> None:
        waiting = self._waiting.get(message.subject.rpartition(".")[2])
        if waiting is not None:
            waiting[1].put_nowait(message)

    async def _heed(self, error: Exception) -> None:
        text = str(error)
        self.reason = text or self.reason
        if "permissions violation" in text.lower():
            for subject, queue in self._waiting.values():
                if f'"{subject.lower()}"' in text.lower():
                    queue.put_nowait(Denied(text))

    async def _ended(self) -> None:
        for _, queue in self._waiting.values():
            queue.put_nowait(Lost(self.reason))

    async def send(self, subject: str, data: bytes, headers: Mapping[str, str] | None, reply: str = "") -> None:
        """Send without waiting for an answer.

        Raises:
            Lost: There is no connection; nothing was sent.
            TooLarge: The server would not take it; nothing was sent.
        """
        size = len(data) + sum(len(name) + len(value) + 4 for name, value in (headers or {}).items()) + 14
        if size > self.client.max_payload:
            raise TooLarge(f"{size:,} bytes are more than the {self.client.max_payload:,} of its max_payload")
        if not self.client.is_connected:
            raise Lost(self.reason)
        await self.client.publish(subject, data, reply=reply, headers=dict(headers) if headers else None)

    def asking(self, subject: str, *, many: bool = False) -> Asking:
        """A place for the answers to a question, to be used in `async with`; `many`: they are messages of a stream."""
        return Asking(self, subject, many=many)

    async def close(self) -> None:
        """Close, without waiting for a server that does not answer."""
        self.retired = True
        try:
            async with asyncio.timeout(1.0):
                await self.client.close()
        except Exception:  # noqa: BLE001 - it is given up in any case
            writer = getattr(self.client._transport, "_io_writer", None)
            if writer is not None:
                writer.transport.abort()


class Asking:
    """One question and its answers."""

    def __init__(self, link: Link, subject: str, *, many: bool) -> None:
        self._link = link
        self._subject = subject
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._many = many
        self._own: Any = None
        link._number += 1
        self._token = str(link._number)
        self._reply = f"{link._inbox}{'-' if many else '.'}{self._token}"

    async def __aenter__(self) -> Asking:
        link = self._link
        link._waiting[self._token] = self._subject, self._queue
        if self._many:
            # Messages of a stream come under their own subjects: only a subscription tells what they answer.
            if not link.client.is_connected:
                del link._waiting[self._token]
                raise Lost(link.reason)
            self._own = await link.client.subscribe(self._reply, cb=self._put)
        return self

    async def __aexit__(self, *_: object) -> None:
        del self._link._waiting[self._token]
        if self._own is not None and self._link.client.is_connected:
            await self._own.unsubscribe()

    async def _put(self, message: Any) -> None:
        self._queue.put_nowait(message)

    async def ask(self, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send the question."""
        await self._link.send(self._subject, data, headers, self._reply)

    async def answer(self) -> Any:
        """The next answer; raises Lost or Denied instead."""
        message = await self._queue.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def answer_within(self, seconds: float | None) -> Any | None:
        """The next answer; None when there is none in that time, if one is given."""
        try:
            async with asyncio.timeout(seconds):
                return await self.answer()
        except TimeoutError:
            return None


def status_of(message: Any) -> str:
    """The status of an answer without content; empty for others."""
    headers = message.headers
    return str(headers.get("Status", "")) if headers else ""
