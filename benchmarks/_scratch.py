"""A shared segment, a folder and a server for the time of a run."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import seawall as sw
from seawall.memory import Segment


@functools.cache
def scratch_segment() -> Segment:
    """The segment of this process, removed when it ends."""
    name = f"seawall-benchmarks-{os.getpid()}"
    atexit.register(Segment.remove, name)
    return sw.Segment(name)


@functools.cache
def scratch_folder() -> Path:
    """A folder of this process on the disk of the working directory, removed when it ends; /tmp may be no disk."""
    folder = Path(tempfile.mkdtemp(prefix=".seawall-benchmarks-", dir=Path.cwd()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def scratch_valkey() -> Any:
    """A server of this process that keeps nothing on disk, ended with it."""
    # By its path: benchmarked libraries bring a package `tests` that hides ours.
    path = Path(__file__).resolve().parents[1] / "tests" / "valkey_server.py"
    spec = importlib.util.spec_from_file_location("valkey_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    directory = tempfile.TemporaryDirectory(prefix="seawall-benchmarks")
    server = module.ValkeyServer(Path(directory.name), appendonly="no", appendfsync="no")
    server.start()
    atexit.register(directory.cleanup)
    atexit.register(server.stop)
    return server
