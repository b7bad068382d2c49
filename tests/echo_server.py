"""A server on loopback that sends back what it gets, and remembers it."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Until the other side ends, or resets."""
        server = self.server
        assert isinstance(server, (EchoServer, UnixEchoServer))
        got = bytearray()
        server.got.append(got)
        try:
            while data := self.request.recv(65_536):
                got += data
                self.request.sendall(data)
            server.ends += 1
        except OSError:
            server.resets += 1


class EchoServer(socketserver.ThreadingTCPServer):
    """On a free port."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self) -> None:
        self.got: list[bytearray] = []
        self.ends = self.resets = 0
        super().__init__(("127.0.0.1", 0), _Echo)

    @property
    def address(self) -> tuple[str, int]:
        """Where it is."""
        host, port = self.socket.getsockname()
        return host, port


class UnixEchoServer(socketserver.ThreadingUnixStreamServer):
    """On a unix socket."""

    daemon_threads = False

    def __init__(self, path: str) -> None:
        self.got: list[bytearray] = []
        self.ends = self.resets = 0
        super().__init__(path, _Echo)


@contextmanager
def serving(server: EchoServer | UnixEchoServer) -> Iterator[None]:
    """Serve in threads; at the end all of them have ended, so clients must be closed before."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def received(client: socket.socket, size: int) -> bytes:
    """`size` bytes, or fewer when the stream ends before."""
    data = bytearray()
    while len(data) < size and (more := client.recv(size - len(data))):
        data += more
    return bytes(data)
