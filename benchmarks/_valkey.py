"""A Valkey server for as long as this process lives."""

from __future__ import annotations

import atexit
import functools
import tempfile
from pathlib import Path

from tests.valkey_server import ValkeyServer


@functools.cache
def server(durable: bool) -> ValkeyServer:
    """One server, asked over the loopback; with each write on disk before its answer, or with nothing kept at all."""
    kept = {} if durable else {"appendonly": "no", "appendfsync": "no"}
    directory = tempfile.TemporaryDirectory(prefix="seawall-bench-")
    started = ValkeyServer(Path(directory.name), **kept)
    started.start()
    atexit.register(directory.cleanup)
    atexit.register(started.stop)
    return started
