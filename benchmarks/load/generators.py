"""How many requests a second one process of each generator makes."""

from __future__ import annotations

from benchmarks.load._locust import MISSING as NO_LOCUST
from benchmarks.load._locust import has_locust, locust
from benchmarks.load._ours import load, run_of
from benchmarks.load._section import Section
from benchmarks.load._server import serving
from benchmarks.load._sizes import Sizes
from benchmarks.load._told import Run
from benchmarks.load._words import many, told
from benchmarks.load._wrk import MISSING as NO_WRK
from benchmarks.load._wrk import version, wrk

_USERS = 50


def measure(sizes: Sizes) -> list[Section]:
    """Each as fast as it can."""
    section = Section(
        "Requests a second of one process",
        f"{_USERS} connections or users, closed model, as fast as each can, against the same server; {sizes.seconds} "
        "s, for wrk and the engine in C++ the median of three. A generator alone on its processor is limited by "
        "its CPU a request, whatever the server could do.",
        ["", "requests/s", "CPU a request", "P50", "P99"],
    )
    with serving() as server:
        runs = {
            "seawall, engine in C++": _middle(
                [run_of(load(server, users=_USERS, seconds=sizes.own_seconds)) for _ in range(_times(sizes))]
            ),
            "seawall, aiohttp": run_of(load(server, users=_USERS, seconds=sizes.own_seconds, engine="aiohttp")),
        }
        # The quick run has wrk in `full_speed` and Locust in `honesty`.
        if version() is not None and not sizes.quick:
            runs["wrk"] = _middle([wrk(server, _USERS, sizes.seconds) for _ in range(_times(sizes))])
        if has_locust() and not sizes.quick:
            # A second of its run goes by before its first request.
            for kind in ("FastHttpUser", "HttpUser"):
                runs[f"Locust, {kind}"] = locust(server, _USERS, sizes.seconds + 1, kind=kind)
    for name, run in sorted(runs.items(), key=lambda item: -item[1].rate):
        _tell(section, name, run)
    section.notes += [why for missing, why in ((version() is None, NO_WRK), (not has_locust(), NO_LOCUST)) if missing]
    return [section]


def _times(sizes: Sizes) -> int:
    return 1 if sizes.quick else 3


def _middle(runs: list[Run]) -> Run:
    """The run with the median rate."""
    return sorted(runs, key=lambda run: run.rate)[len(runs) // 2]


def _tell(section: Section, name: str, run: Run) -> None:
    section.add(name, many(run.rate), told(run.cpu_each), told(run.response[50.0]), told(run.response[99.0]))
    section.bar("one process at full speed", name, run.rate)
