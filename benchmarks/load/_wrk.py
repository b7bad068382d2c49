"""wrk, where it is installed."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
from pathlib import Path

from benchmarks._case import WrongAnswer
from benchmarks.load._server import Server
from benchmarks.load._told import Run, output

MISSING = "wrk was not measured: it is not installed (apt install wrk)"
_SCRIPT = Path(__file__).with_name("wrk.lua")


def version() -> str | None:
    """Of the installed wrk; None where there is none."""
    if shutil.which("wrk") is None:
        return None
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False, timeout=10).stdout
    found = re.search(r"wrk \D*([\d.]+)", said)
    return f"wrk {found[1]}" if found else "wrk"


def wrk(server: Server, connections: int, seconds: int, *, pause: float = 0.0) -> Run:
    """A run with one thread; every answer must have been counted by the server."""
    server.reset()
    before = _cpu()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT), server.url]
    said = output(command, {"WRK_PAUSE_MS": f"{pause * 1e3:g}"} if pause else None)
    told = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    if told["failed"]:
        raise WrongAnswer(f"wrk tells of {told['failed']} failed requests")
    server.must_have_counted("wrk", told["requests"], cut=connections)
    times = {float(percent): value * 1e-6 for percent, value in told["percentiles"].items()} | {100: told["max"] * 1e-6}
    return Run(told["requests"], told["microseconds"] * 1e-6, _cpu() - before, times)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
