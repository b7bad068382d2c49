"""Our own generator, in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks._case import WrongAnswer
from benchmarks.load._server import Server
from benchmarks.load._told import Run, output


def child(what: str, env: Mapping[str, str] | None = None, *, alone: bool = False, **asked: Any) -> dict[str, Any]:
    """The facts of one run, see `_child`; `alone` on the machine it has all processors."""
    facts: dict[str, Any] = json.loads(
        output([sys.executable, "-m", "benchmarks.load._child", what, json.dumps(asked)], env, alone=alone)
    )
    return facts


def load(server: Server, **asked: Any) -> dict[str, Any]:
    """The facts of a load test of the server, which must have counted each request."""
    server.reset()
    facts = child("load", url=server.url, **asked)
    if facts["failed"] or facts["sent"] != facts["completed"]:
        raise WrongAnswer(f"{facts['failed']} of {facts['sent']} requests failed, {facts['completed']} ended")
    server.must_have_counted("seawall", facts["completed"])
    return facts


def run_of(facts: Mapping[str, Any], times: str = "response") -> Run:
    """The same as other generators tell it."""
    return Run(facts["completed"], facts["seconds"], facts["cpu"], by_percent(facts[times]))


def by_percent(times: Mapping[str, float]) -> dict[float, float]:
    """JSON knows text as keys only."""
    return {float(percent): value for percent, value in times.items()}
