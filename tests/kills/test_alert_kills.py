"""SIGKILL at every place where alerts store or tell something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]


def test_everybody_is_told_once_or_again_with_the_same_id(tmp_path):
    """Whenever the process dies, also twice: nothing is lost, nothing is told anew, and the store is never damaged."""
    twice = "2000" if os.environ.get("SEAWALL_LONG") else "40"
    # SIGKILL takes nothing from files in memory either, and there nobody waits for a disk.
    shared = Path("/dev/shm")
    with TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as directory:
        command = [sys.executable, "-m", "tests.kills.alerts", directory, "1", twice]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("killed at ")
