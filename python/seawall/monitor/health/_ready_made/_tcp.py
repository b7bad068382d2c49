"""Can a TCP connection be made, and does what is behind it answer?"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from seawall.errors import ConfigError
from seawall.monitor.health._words import Outcome


class TcpCheck:
    """Connects; and where `expect` is given, sends and compares how the answer begins.

    A connection alone says that somebody listens, not that anybody works: a process that hangs is still connected to.

    Args:
        host: Name or address.
        port: 1 to 65,535.
        tls: Speak TLS: True for the system's authorities, or a context of your own.
        send: Sent when connected.
        expect: How the answer must begin.
    """

    remote = True

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: bool | ssl.SSLContext = False,
        send: bytes = b"",
        expect: bytes = b"",
    ) -> None:
        if not isinstance(host, str) or not host:
            raise ConfigError(f"host must be a name or an address, got {host!r}")
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65_535:
            raise ConfigError(f"port must be 1 to 65535, got {port!r}")
        self.host = host
        self.port = port
        self._tls = tls
        self._send = send
        self._expect = expect

    async def __call__(self) -> Outcome:
        """Connect once."""
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self._tls or None)
        try:
            return await self._talk(reader, writer)
        finally:
            writer.close()
            # Without waiting: whoever does not answer may not close either.
            if writer.transport is not None:
                writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Outcome:
        if self._send:
            writer.write(self._send)
            await writer.drain()
        answer = b""
        if self._expect:
            with contextlib.suppress(asyncio.IncompleteReadError):
                answer = await reader.readexactly(len(self._expect))
        if answer == self._expect:
            return Outcome.passed()
        return Outcome.failed(f"{self.host}:{self.port} did not answer as expected")

    def __repr__(self) -> str:
        return f"<TcpCheck {self.host}:{self.port}>"
