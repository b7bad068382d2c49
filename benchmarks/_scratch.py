"""A shared segment and a folder for the time of a run."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

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
