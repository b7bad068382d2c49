"""What a dashboard shows, to whom, and that nothing breaks it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.observe import Family, Recorder, Recording, Sample, Snapshot
from seawall.observe.dashboard import AlertRow, BudgetRow, Dashboard, GuardRow, HealthRow, Sections
from seawall.observe.dashboard._page import page
from seawall.observe.dashboard._plot import MOST_LINES, POINTS, Plot
from seawall.observe.dashboard._state import overall
from seawall.observe.panels import Panel, Query, Threshold

TOKEN = "correct-horse-battery"


def calls(at: float, *, groups: int = 1, each: float = 5.0) -> Snapshot:
    """A counter of `groups` routes that grow by `each` times their number a second."""
    samples = tuple(Sample((("route", f"/{n}"),), at * each * (n + 1)) for n in range(groups))
    return Snapshot(at, (Family("calls", "counter", samples),))


def recorded(seconds: int, **options: Any) -> Recording:
    """A snapshot each second."""
    recording = Recording()
    for at in range(seconds + 1):
        recording.append(calls(float(at), **options))
    return recording


RATE = Panel("Calls", "lines", (Query("calls", "rate"),), "per_second", (Threshold(4.0), Threshold(100.0, "critical")))


async def asked(
    app: Dashboard, path: str, *, query: str = "", root: str = "", method: str = "GET", **headers: str
) -> Any:
    """(status, headers, body) of a request; of a stream the first event, after which the client goes away."""
    said: list[Any] = []
    heard = asyncio.Event()

    async def receive() -> Any:
        await heard.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)
        if b"data:" in message.get("body", b""):
            heard.set()

    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": root + path, "root_path": root, "query_string": query.encode(),
             "headers": encoded}  # fmt: skip
    await app(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], told, b"".join(message.get("body", b"") for message in said[1:])


def test_points_are_made_once_and_stay_few():
    """However often and long: at most as many points as are drawn, at the same places as if asked once."""
    recording, often, seldom = Recording(), Plot(Query("calls", "rate"), 300.0), Plot(Query("calls", "rate"), 300.0)
    for at in range(1000):
        recording.append(calls(float(at)))
        often.update(recording)
    seldom.update(recording)
    assert len(often.points) <= POINTS
    assert [point.values for point in often.points] == [{(): 5.0}] * len(often.points)
    assert often.points[-1].at - often.points[0].at > 290
    assert len(seldom.points) <= POINTS


def test_only_the_highest_lines_are_drawn_and_the_others_counted():
    """Of twelve routes the eight busiest are drawn."""
    plot = Plot(Query("calls", "rate", by=("route",)), 300.0)
    plot.update(recorded(60, groups=12))
    lines, others = plot.lines(None)
    assert [line["name"] for line in lines] == sorted(f"/{n}" for n in range(4, 12))
    assert (len(lines), others) == (MOST_LINES, 4)


def test_what_is_told_again_is_only_what_is_new():
    """After the first state, points that were told are not told again."""
    recording = recorded(60)
    plot = Plot(Query("calls", "rate"), 300.0)
    plot.update(recording)
    first, _ = plot.lines(None)
    recording.append(calls(63.0))
    plot.update(recording)
    more, _ = plot.lines(60.0)
    assert first[0]["points"][-1][0] <= 60
    assert [point[0] for point in more[0]["points"]] == [63.0]


async def test_a_state_says_all_that_the_page_draws():
    """Panels with their level, sections as rows, and the worst of all in a word."""
    sections = Sections(
        guards=lambda: [GuardRow("payments", "CircuitBreaker", "open", "bad", 7, 3)],
        health=lambda: [HealthRow("db", "good")],
    )
    app = Dashboard(recorded(60), [RATE], sections=sections)
    status, headers, body = await asked(app, "/state")
    state = json.loads(body)
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/json", "no-store")
    assert state["panels"][0]["level"] == "warning"
    assert state["panels"][0]["lines"][0]["points"][-1][1] == 5.0
    assert state["guards"][0]["state"] == "open"
    assert (state["alerts"], state["flame"], state["at"]) == (None, False, 60.0)
    assert state["overall"] == {"level": "warning", "word": "guarded", "names": "payments"}


def test_the_worst_comes_first():
    """Failed health, then alerts, then spent budgets, then what only degrades."""
    bad = HealthRow("db", "bad")._asdict()
    fires = AlertRow("Slow", "firing", "page", 1.0)._asdict()
    spent = BudgetRow("answers", 0.99, 0.0)._asdict()
    extra = HealthRow("mail", "bad", critical=False)._asdict()
    told = [
        overall({"health": [extra, bad], "alerts": [fires], "budgets": [spent], "guards": []}),
        overall({"health": [extra], "alerts": [fires], "budgets": [spent], "guards": []}),
        overall({"health": [extra], "alerts": [], "budgets": [spent], "guards": []}),
        overall({"health": [extra], "alerts": [], "budgets": [], "guards": []}),
        overall({"health": [], "alerts": [], "budgets": [], "guards": []}),
        overall({"health": None, "alerts": None, "budgets": None, "guards": None}),
    ]
    assert [(one["word"], one["names"]) for one in told] == [
        ("failing", "db"), ("alerting", "Slow"), ("out of error budget", "answers"), ("degraded", "mail"),
        ("healthy", ""), ("running", ""),
    ]  # fmt: skip


async def test_a_section_that_fails_does_not_take_the_page_with_it(caplog: pytest.LogCaptureFixture):
    """It is told as failed, without what it said; the log has that."""

    def broken() -> Any:
        raise RuntimeError("postgres://user:secret@db")

    app = Dashboard(recorded(10), [RATE], sections=Sections(alerts=broken))
    _, _, body = await asked(app, "/state")
    assert json.loads(body)["alerts"] == [{"failed": "alerts cannot be shown; the log says why"}]
    assert b"secret" not in body
    assert "cannot be shown" in caplog.text


@pytest.mark.parametrize("path", ["/", "", "/events", "/state", "/flame", "/nothing"])
async def test_without_the_token_nothing_is_shown(path: str):
    """Refused whatever is asked for, and the token is not in the answer."""
    app = Dashboard(recorded(10), [RATE], sections=Sections(flame=lambda: "flames"), token=TOKEN)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic " + TOKEN}, {"cookie": "a=b; ;"},
                    {"cookie": f"seawall_dashboard={TOKEN}"}):  # fmt: skip
        status, told, body = await asked(app, path, query="token=wrong", **headers)
        assert status == 401
        assert told["www-authenticate"] == 'Bearer realm="seawall"'
        assert body == b"this page needs its token: ?token=... once, or Authorization: Bearer ...\n"
    assert TOKEN not in repr(app) + repr(app._door)


async def test_the_token_opens_once_by_address_and_then_by_cookie():
    """The token leaves the address; the cookie is not the token, and scripts cannot read it."""
    app = Dashboard(recorded(10), [RATE], token=TOKEN)
    status, told, _ = await asked(app, "/", query=f"token={TOKEN}", root="/ops")
    assert (status, told["location"]) == (303, "/ops/")
    assert re.fullmatch(r"seawall_dashboard=[0-9a-f]{64}; Path=/ops; HttpOnly; SameSite=Strict; Max-Age=604800",
                        told["set-cookie"])  # fmt: skip
    cookie = told["set-cookie"].partition(";")[0]
    assert (await asked(app, "/state", root="/ops", cookie=cookie))[0] == 200
    assert (await asked(app, "/state", authorization=f"Bearer {TOKEN}"))[0] == 200


async def test_a_mounted_page_finds_its_events():
    """Below a path of somebody else's, and the path without its slash leads to the one with it."""
    app = Dashboard(recorded(10), [RATE])
    status, told, _ = await asked(app, "", root="/ops")
    assert (status, told["location"]) == (307, "/ops/")
    assert (await asked(app, "/", root="/ops"))[2].startswith(b"<!doctype html>")


async def test_events_begin_with_all_and_end_when_the_client_goes():
    """The first event is the whole state; nobody is counted as looking afterwards."""
    clock = ManualClock(autojump=True)
    app = Dashboard(recorded(60), [RATE], clock=clock)
    status, told, body = await asked(app, "/events", query="span=3600")
    assert (status, told["content-type"]) == (200, "text/event-stream")
    events = body.split(b"\n\n")
    assert events[0] == b"retry: 2000"
    assert json.loads(events[1].removeprefix(b"data: "))["span"] == 3600.0
    assert app.views.viewers == 0


async def test_only_so_many_may_look():
    """One more is told to come back."""
    app = Dashboard(recorded(10), [RATE])
    app.views.viewers = 32
    status, told, body = await asked(app, "/events")
    assert (status, told["retry-after"], body) == (503, "10", b"too many are looking already; close a page\n")


async def test_what_cannot_be_asked_is_refused():
    """Another span, another method, another place."""
    app = Dashboard(recorded(10), [RATE])
    status, _, body = await asked(app, "/state", query="span=7")
    assert (status, body) == (400, b"span must be one of 300, 3600, 21600, 259200 seconds\n")
    assert (await asked(app, "/", method="POST"))[0] == 405
    assert (await asked(app, "/nothing"))[0] == 404
    assert (await asked(app, "/flame"))[0] == 404


@given(st.text(max_size=40))
def test_no_title_breaks_the_page(title: str):
    """What a title holds is text."""
    written = page(title)
    assert written.count("<script>") == 1
    assert "<img" not in written
    assert len(written.encode()) < 300_000


def test_the_page_asks_nothing_of_other_hosts():
    """No address of any other host stands in it."""
    assert re.findall(r"https?://[^\s\"'`]+", page("orders")) == ["http://www.w3.org/2000/svg"]


def test_options_are_checked():
    """The message says what was given, but never a token."""
    with pytest.raises(ConfigError, match=r"^token must be at least 16 printable ASCII characters") as refused:
        Dashboard(Recording(), token="short")
    assert "short" not in str(refused.value)
    with pytest.raises(ConfigError, match=r"^every must be 0\.1 to 60 seconds, got 0$"):
        Dashboard(Recording(), every=0)


def test_a_recorder_asks_again_after_a_failure(caplog: pytest.LogCaptureFixture):
    """A source that fails twice is told once, and what comes after is recorded."""
    answers = iter([RuntimeError("away"), RuntimeError("away"), Snapshot(3.0)])

    def source() -> Snapshot:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    recorder = Recorder(source)
    for _ in range(3):
        recorder.record()
    assert (recorder.failures, recorder.recording.latest) == (2, Snapshot(3.0))
    assert caplog.text.count("no metrics can be recorded") == 1
    with pytest.raises(ConfigError, match=r"^every must be 0\.01 to 86,400 seconds, got 0$"):
        Recorder(source, every=0)


def test_a_recorder_records_at_regular_times_until_it_is_stopped():
    """On a clock that is moved by hand: at 0, 1 and 2 seconds."""
    clock, enough = ManualClock(autojump=True), threading.Event()
    came: list[float] = []

    def source() -> Snapshot:
        came.append(clock.time())
        if len(came) == 3:
            enough.set()
        return Snapshot(clock.time() + 1.0)

    with Recorder(source, clock=clock):
        assert enough.wait(60)
    assert came[:3] == [0.0, 1.0, 2.0]
