"""Locust, where it is installed, in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks._case import WrongAnswer
from benchmarks.load._server import Server
from benchmarks.load._told import Run, output

MISSING = "Locust was not measured: it is not installed (pip install locust)"
_FILE = Path(__file__).with_name("_locustfile.py")


def has_locust() -> bool:
    """Whether it is installed."""
    return importlib.util.find_spec("locust") is not None


def locust(server: Server, users: int, seconds: int, *, each: float = 0.0, kind: str = "FastHttpUser") -> Run:
    """A run of one process.

    Args:
        server: What is called.
        users: How many at once.
        seconds: How long.
        each: Requests a second of each user, as `constant_throughput` has it; 0 for as many as it can.
        kind: `FastHttpUser` or `HttpUser`.
    """
    server.reset()
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        command = [sys.executable, "-m", "locust", "-f", str(_FILE), "--headless", "--host", server.url.rstrip("/")]
        command += ["-u", str(users), "-r", str(users), "-t", f"{seconds}s"]
        command += ["--only-summary", "--loglevel", "ERROR", "--exit-code-on-error", "0"]
        output(command, {"LOCUST_EACH": str(each), "LOCUST_KIND": kind, "LOCUST_TOLD": str(told)})
        run = _read(json.loads(told.read_text()))
    server.must_have_counted("Locust", run.completed, cut=users)
    return run


def _read(told: Mapping[str, Any]) -> Run:
    """What Locust says of itself; its times are in milliseconds."""
    if told["failed"]:
        raise WrongAnswer(f"Locust tells of {told['failed']} failed requests")
    times = {float(percent): value * 1e-3 for percent, value in told["percentiles"].items()}
    return Run(told["requests"], told["seconds"], told["cpu"], times | {100.0: told["max"] * 1e-3})
