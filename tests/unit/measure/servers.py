"""Real servers on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web
from hypercorn.asyncio import serve
from hypercorn.config import Config

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Certificates:
    """A certificate for 127.0.0.1, and the authority that a client has to trust for it."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self._issued = authority.issue_cert("127.0.0.1")
        self.roots = authority.cert_pem.bytes()
        self.trusted = folder / "roots.pem"
        self.trusted.write_bytes(self.roots)
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        self.chain.write_bytes(b"".join(blob.bytes() for blob in self._issued.cert_chain_pems))
        self.key.write_bytes(self._issued.private_key_pem.bytes())

    @property
    def context(self) -> ssl.SSLContext:
        """For a server."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._issued.configure_cert(made)
        return made

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """The key and the chain in PEM."""
        return self.key.read_bytes(), self.chain.read_bytes()


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server of HTTP/1.1 on a free port."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener, ssl_context=context).start()
        try:
            yield f"http{'s' if context else ''}://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            await runner.cleanup()


@asynccontextmanager
async def serving_http2(app: Any, certificates: Certificates | None = None) -> AsyncIterator[str]:
    """A server of HTTP/2 on a free port: over TLS, or without from the first byte on."""
    config = Config()
    config.accesslog = config.errorlog = None
    config.graceful_timeout = config.shutdown_timeout = 0.1
    if certificates is not None:
        config.certfile, config.keyfile = str(certificates.chain), str(certificates.key)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config.bind = [f"fd://{listener.detach()}"]
    done = asyncio.Event()
    with socket.socket(fileno=int(config.bind[0].removeprefix("fd://"))) as kept:
        port = kept.getsockname()[1]
        kept.detach()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=done.wait))
    try:
        yield f"http{'s' if certificates else ''}://127.0.0.1:{port}/"
    finally:
        done.set()
        await server


def free_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return int(unused.getsockname()[1])
