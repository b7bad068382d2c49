"""What each generator tells of a server that stands still once, against what is true."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks._case import WrongAnswer
from benchmarks.load import _truth
from benchmarks.load._locust import MISSING as NO_LOCUST
from benchmarks.load._locust import has_locust, locust
from benchmarks.load._ours import by_percent, child, load
from benchmarks.load._section import Section, Target
from benchmarks.load._server import Server, Told, serving
from benchmarks.load._sizes import Sizes
from benchmarks.load._words import against, many, told
from benchmarks.load._wrk import MISSING as NO_WRK
from benchmarks.load._wrk import version, wrk

USERS, EACH = 20, 10.0
RATE = USERS * EACH
_MOST_OFF = 0.03
_BARS = "P95 told of a stall"
_PLACES = 600  # more than requests that are due in the stall


def measure(sizes: Sizes) -> list[Section]:
    """All of them one after another, each with a stall of its own."""
    section = Section(
        f"A stall of {sizes.stall_length:g} s",
        f"{RATE:g} requests a second are meant, for {sizes.stall_run} s: evenly spaced in the open model; {USERS} "
        f"users or connections, each every {1 / EACH:g} s, in the closed one. {sizes.stall_after:g} s after its first "
        f"request the server stands still for {sizes.stall_length:g} s, otherwise it answers at once. The truth is "
        "computed from the plan: how long somebody who came when due had to wait. In brackets: the error.",
        ["", "requests", "P50", "P90", "P95", "P99", "max"],
    )
    with serving() as server:
        truth = _ours(sizes, server, section)
        _corrected(sizes, server, section, truth)
        _wrk(sizes, server, section, truth)
        _locust(sizes, server, section, truth)
        _dropping(sizes, server, section, truth)
    return [section]


def _stall(sizes: Sizes, server: Server) -> None:
    server.stall(sizes.stall_after, sizes.stall_length)


def _seen(sizes: Sizes, server: Server, who: str) -> Told:
    """What the server says after a run; the stall must have been in it."""
    seen = server.tell()
    if seen.stalled_for < sizes.stall_length:
        raise WrongAnswer(f"the server did not stand still while {who} ran")
    return seen


def _ours(sizes: Sizes, server: Server, section: Section) -> dict[float, float]:
    # The stall is set first: `load` resets the counts only.
    _stall(sizes, server)
    facts = load(server, rate=RATE, seconds=sizes.stall_run, max_concurrency=_PLACES)
    seen = _seen(sizes, server, "seawall")
    times = _truth.stalled(RATE, sizes.stall_run, 0.5 / RATE + seen.stalled_from, seen.stalled_for)
    truth = _truth.percentiles(times)
    section.add("truth, by arithmetic", many(len(times)), *map(told, truth.values()))
    response = by_percent(facts["response"])
    if not 0.9 * seen.stalled_for < response[100.0] < seen.stalled_for + 1:
        raise WrongAnswer(f"a stall of {seen.stalled_for} s shows as a response time of {response[100.0]} s at most")
    worst = max(abs(response[percent] / exact - 1) for percent, exact in truth.items() if exact >= 2e-3)
    words = "response times of the open model within 3 % of the truth"
    section.targets.append(Target(words, f"at most {worst:.1%} off", worst <= _MOST_OFF))
    _tell(section, "seawall response time", facts["completed"], response, truth)
    _tell(section, "seawall service time", facts["completed"], by_percent(facts["service"]), truth)
    section.bar(_BARS, "truth by arithmetic", truth[95.0] * 1e3)
    section.bar(_BARS, "seawall response time", response[95.0] * 1e3)
    return truth


def _corrected(sizes: Sizes, server: Server, section: Section, truth: Mapping[float, float]) -> None:
    _stall(sizes, server)
    facts = load(server, users=USERS, think=1 / EACH, seconds=sizes.stall_run, every=1 / EACH)
    _seen(sizes, server, "the closed model")
    closed, corrected = by_percent(facts["service"]), by_percent(facts["corrected"])
    _tell(section, f"seawall `Closed({USERS}, think={1 / EACH:g})`", facts["completed"], closed, truth)
    _tell(section, "the same, corrected as wrk2 does", facts["completed"], corrected, truth)
    section.notes.append(
        "corrected as wrk2 does: for each time longer than the interval of a user, those that the user should have "
        "begun meanwhile are added, each an interval shorter (HdrHistogram's `recordValueWithExpectedInterval`). It is "
        "reckoned from the service times of the line above; wrk2 itself was not run"
    )
    section.bar(_BARS, "closed model of seawall", closed[95.0] * 1e3)
    section.bar(_BARS, "closed model, corrected as wrk2 does", corrected[95.0] * 1e3)


def _wrk(sizes: Sizes, server: Server, section: Section, truth: Mapping[float, float]) -> None:
    if version() is None:
        section.notes.append(NO_WRK)
        return
    _stall(sizes, server)
    paced = wrk(server, USERS, sizes.stall_run, pause=1 / EACH)
    _seen(sizes, server, "wrk")
    _tell(section, f"wrk, {USERS} connections, delay() of {told(1 / EACH)}", paced.completed, paced.response, truth)
    section.bar(_BARS, "wrk with delay()", paced.response[95.0] * 1e3)
    if sizes.quick:
        return
    _stall(sizes, server)
    full = wrk(server, USERS, sizes.stall_run)
    _seen(sizes, server, "wrk")
    _tell(section, f"wrk, {USERS} connections, as fast as it can", full.completed, full.response, truth)
    section.notes.append(
        "wrk 4 corrects by itself (`stats_correct` in its source): it takes the mean time between two requests of a "
        "connection for the interval. As fast as it can it is asked another question: the truth above is that of "
        f"{RATE:g} requests a second"
    )


def _locust(sizes: Sizes, server: Server, section: Section, truth: Mapping[float, float]) -> None:
    if not has_locust():
        section.notes.append(NO_LOCUST)
        return
    _stall(sizes, server)
    # A second of its run goes by before its first request.
    run = locust(server, USERS, sizes.stall_run + 1, each=EACH)
    _seen(sizes, server, "Locust")
    name = f"Locust, {USERS} users, constant_throughput({EACH:g})"
    _tell(section, name, run.completed, run.response, truth)
    section.notes.append("Locust rounds times to two digits, those below 100 ms to milliseconds")
    section.bar(_BARS, "Locust constant_throughput", run.response[95.0] * 1e3)


def _dropping(sizes: Sizes, server: Server, section: Section, truth: Mapping[float, float]) -> None:
    server.reset()
    _stall(sizes, server)
    facts = child("dropping", url=server.url, rate=RATE, seconds=sizes.stall_run, users=USERS)
    _seen(sizes, server, "the run that drops")
    server.must_have_counted("the run that drops", facts["completed"])
    if facts["completed"] + facts["dropped"] != facts["planned"]:
        raise WrongAnswer(f"{facts['completed']} ended and {facts['dropped']} dropped of {facts['planned']}")
    times = by_percent(facts["response"])
    _tell(section, "k6-like (late iterations dropped)", facts["completed"], times, truth)
    section.notes.append(
        f"k6-like is a behaviour, not k6: an open model of ours with {USERS} users in which an arrival that "
        f"finds none free is never made, as k6 does at `maxVUs`; {facts['dropped']} of {facts['planned']} were "
        "dropped, and times say nothing of them"
    )
    section.bar(_BARS, "k6-like, late dropped", times[95.0] * 1e3)


def _tell(
    section: Section, name: str, requests: int, times: Mapping[float, float], truth: Mapping[float, float]
) -> None:
    section.add(name, many(requests), *(against(times[percent], exact) for percent, exact in truth.items()))
