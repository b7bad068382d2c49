"""Redis over TLS: the certificate is checked, and so is the name in it."""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.contract.faces import Faced
from tests.valkey_server import ValkeyServer

from seawall.engines import Put, open_engine
from seawall.errors import Unavailable
from seawall.testing import FaultProxy

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    cert, key = directory / "cert.pem", directory / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


class TlsFront:
    """A port that takes TLS off and hands on to a socket of a server whose wheel is built without it."""

    def __init__(self, certificate: tuple[Path, Path], behind: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.behind = behind
        self.ready = threading.Event()
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()))

    async def run(self) -> None:
        """Serve until told to stop."""
        loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda loop, context: None)  # handshakes that clients give up
        self.loop = loop
        server = await asyncio.start_server(self.serve, "localhost", 0, ssl=self.context, family=socket.AF_INET)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.stop.wait()
        server.close()
        for writer in self.writers:
            writer.transport.abort()
        for _ in range(10):
            await asyncio.sleep(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(self.behind))
        self.writers += [writer, inner_writer]
        await asyncio.gather(self.copy(reader, inner_writer), self.copy(inner_reader, writer))

    async def copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction."""
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def tls_port(certificate: tuple[Path, Path], shared_valkey: ValkeyServer) -> Iterator[int]:
    """The port of a TLS front."""
    front = TlsFront(certificate, shared_valkey.socket)
    front.thread.start()
    assert front.ready.wait(20)
    yield front.port
    front.loop.call_soon_threadsafe(front.stop.set)
    front.thread.join(20)


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


def test_a_known_certificate_is_trusted(certificate, tls_port, runner):
    """And everything works through it, watches too."""
    with open_engine(f"rediss://localhost:{tls_port}", ca_file=str(certificate[0]), lint=False) as engine:
        kv = Faced(engine.key_value("tls"), runner)
        first = kv.put("a", b"x" * 500_000)
        assert kv.get("a").revision == first
        watch = kv.watch(after=first, heartbeat=0.4)
        assert watch.poll() is None
        second = kv.put("a", b"1")
        assert watch.poll() == Put("a", b"1", second)
        watch.close()
        Faced(engine, runner).close()


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_an_unknown_certificate_or_name_is_not(certificate, tls_port, runner, host, trusted):
    """Nothing is sent to whoever that is."""
    options = {"ca_file": str(certificate[0])} if trusted else {}
    engine = open_engine(f"rediss://localhost:{tls_port}".replace("localhost", host), attempts=1, lint=False, **options)
    with pytest.raises(Unavailable, match=r"certificate verify failed|CERTIFICATE_VERIFY_FAILED"):
        Faced(engine.key_value("tls"), runner).put("b", b"")
    Faced(engine, runner).close()


def test_a_loop_that_ends_leaves_no_connection_behind(certificate, tls_port, monkeypatch):
    """Whether or not the server answers the goodbye of TLS."""
    forgotten: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", forgotten.append)
    with FaultProxy(("127.0.0.1", tls_port)) as proxy:
        port = proxy.address[1]
        engine = open_engine(f"rediss://localhost:{port}", ca_file=str(certificate[0]), lint=False)
        with asyncio.Runner() as loop:
            loop.run(engine.key_value("tls").put_async("a", b"1"))
            proxy.pause()
        gc.collect()
        engine.close()
    assert [str(each.exc_value) for each in forgotten] == []
