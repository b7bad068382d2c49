"""Two type checkers read the same files: what is promised holds, and what is wrong is an error."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = [str(HERE / name) for name in ("guarded.py", "locked.py")]


def checked(*command: str) -> subprocess.CompletedProcess[str]:
    """What a checker says."""
    if importlib.util.find_spec(command[0]) is None:
        pytest.skip(f"{command[0]} comes with the lint extra")
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


def test_mypy_agrees(tmp_path: Path) -> None:
    """Every expected type is found, and every wrong call is an error: an ignore that ignores nothing fails."""
    done = checked(
        "mypy", "--strict", "--warn-unused-ignores", "--no-error-summary", "--cache-dir", str(tmp_path), *FILES
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_pyright_agrees() -> None:
    """The same files, the same types; here too an ignore that ignores nothing is an error."""
    done = checked("pyright", "--project", str(HERE / "pyright.json"), "--pythonpath", sys.executable)
    assert done.returncode == 0, done.stdout
    assert "0 errors, 0 warnings" in done.stdout
