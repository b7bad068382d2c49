"""What Locust runs: one request after another, or so many a second for each user."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

from locust import FastHttpUser, HttpUser, constant_throughput, events, task
from locust.env import Environment

_each = float(os.environ["LOCUST_EACH"])
_kind = {"FastHttpUser": FastHttpUser, "HttpUser": HttpUser}[os.environ["LOCUST_KIND"]]
_used = [0.0, 0.0]


class Visitor(_kind):  # type: ignore[valid-type,misc]
    """A user who asks for the same page again and again."""

    if _each:
        wait_time = constant_throughput(_each)

    @task
    def visit(self) -> None:
        """One request."""
        self.client.get("/")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@events.test_start.add_listener
def _started(**_: object) -> None:
    _used[0] = _cpu()


@events.test_stop.add_listener
def _stopped(**_: object) -> None:
    _used[1] = _cpu()


@events.quitting.add_listener
def _tell(environment: Environment, **_: object) -> None:
    # Its tables of statistics are written once a second, and not at the end.
    total = environment.stats.total
    told = {
        "requests": total.num_requests,
        "failed": total.num_failures,
        "seconds": (total.last_request_timestamp or 0.0) - total.start_time,
        "cpu": _used[1] - _used[0],
        "percentiles": {percent: total.get_response_time_percentile(percent / 100) for percent in (50, 90, 95, 99)},
        "max": total.max_response_time,
    }
    Path(os.environ["LOCUST_TOLD"]).write_text(json.dumps(told))
