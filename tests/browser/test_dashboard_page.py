"""The dashboard in a real browser, served by a real server: drawn, live, and nobody's script runs in it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import pytest
import pytest_asyncio
from tests.chromium import BINARY, Page, browser
from tests.ports import free_ports

from seawall.measure import Histogram
from seawall.observe import Distribution, Family, Recorder, Recording, Sample, Selector, Snapshot
from seawall.observe.dashboard import AlertRow, BudgetRow, Dashboard, GuardRow, HealthRow, Sections, SpanRow, TraceRow
from seawall.observe.panels import Panel, Query, red_panels
from seawall.observe.signals import Service

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(BINARY is None, reason="there is no Chromium here; apt-get install chromium brings it"),
]
TOKEN = "correct-horse-battery"
EVIL = '<img src=x onerror="document.title=1">'
START = 1_790_000_000.0


def snapshots() -> Any:
    """An endless service: 40 requests a second, of which every tenth fails."""
    latency = Histogram(digits=2)
    for second in itertools.count():
        latency.record_many([0.02 + 0.001 * (second % 50)] * 40)
        codes = tuple(Sample((("code", code),), second * each) for code, each in (("200", 36.0), ("503", 4.0)))
        yield Snapshot(
            START + second,
            (
                Family("requests", "counter", codes),
                Family("latency", "histogram", (Sample((), Distribution.of(latency)),), unit="seconds"),
            ),
        )


def sections() -> Sections:
    """One row of each kind, with names that try to be markup."""
    spans = (SpanRow("GET /", 0.0, 0.5), SpanRow(EVIL, 0.1, 0.3, 1, True))
    return Sections(
        guards=lambda: [GuardRow("payments", "CircuitBreaker", "open", "bad", 120, 7, EVIL)],
        alerts=lambda: [AlertRow(EVIL, "firing", "page", START)],
        budgets=lambda: [BudgetRow("answers", 0.999, 0.2, 14.4)],
        health=lambda: [HealthRow("db", "good", True, "", 0.002)],
        traces=lambda: [TraceRow("4bf92f3577b34da6a3ce929d0e0e4736", EVIL, START, 0.5, True, spans)],
        flame=lambda: "<p id=flames>flames</p><script>parent.document.title='reached'</script>",
    )


@pytest_asyncio.fixture
async def served() -> AsyncIterator[tuple[str, Recorder]]:
    """A dashboard at an address, and what brings it news."""
    service = Service(name="Orders", requests="requests", errors=Selector("requests", code="503"), duration="latency")
    panels = [*red_panels(service), Panel("By code", "lines", (Query("requests", "rate", by=("code",)),), "per_second")]
    made = snapshots()
    recorder = Recorder(lambda: next(made), Recording())
    for _ in range(120):
        recorder.record()
    app = Dashboard(recorder.recording, panels, sections=sections(), title="orders", token=TOKEN, every=0.1)
    config, (port,) = hypercorn.config.Config(), free_ports(1)
    config.bind = [f"127.0.0.1:{port}"]
    ends = asyncio.Event()
    serving = asyncio.ensure_future(hypercorn.asyncio.serve(app, config, shutdown_trigger=ends.wait))  # type: ignore[arg-type]
    yield f"http://127.0.0.1:{port}", recorder
    ends.set()
    await asyncio.wait_for(serving, 30)


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """An empty page of a browser."""
    async with browser(tmp_path / "browser") as opened:
        yield opened


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (1400, True), (390, False)])
async def test_the_page_shows_everything_and_fits(served: Any, page: Page, tmp_path: Path, width: int, dark: bool):
    """Lines are drawn, rows are there, nothing is wider than the window, and no markup of others became any."""
    url, _ = served
    await page.open(f"{url}/?token={TOKEN}", width=width, dark=dark)
    await page.until("document.querySelectorAll('svg .line[d^=M]').length >= 6")
    text = await page.say("document.body.innerText")
    assert "orders" in text
    for told in (
        "alerting",
        "payments",
        "open",
        "14.4 x",
        "20 %",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "Duration",
        EVIL,
    ):
        assert told in text
    assert await page.say("document.querySelectorAll('img').length") == 0
    assert await page.say("location.search") == ""
    assert await page.say("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    ground = await page.say("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(14, 18, 22)") is dark
    await page.photograph(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000
    assert page.complaints == []


async def test_the_page_is_live(served: Any, page: Page):
    """What is recorded while somebody looks is drawn, without loading anything again."""
    url, recorder = served
    await page.open(f"{url}/?token={TOKEN}")
    await page.until("document.querySelectorAll('svg .line[d^=M]').length >= 6")
    await page.say("window.mark = 1")
    assert await page.say("state.panels[0].lines[0].points.at(-1)[0]") <= START + 120
    for _ in range(30):
        recorder.record()
    last = await page.until(
        "state.panels[0].lines[0].points.at(-1)[0] >= 1790000140 && state.panels[0].lines[0].points"
    )
    times = [at for at, _ in last]
    assert times == sorted(set(times))
    assert {value for _, value in last} == {40.0}
    assert await page.say("window.mark") == 1


async def test_another_span_is_shown_when_it_is_asked_for(served: Any, page: Page):
    """An hour instead of five minutes."""
    url, _ = served
    await page.open(f"{url}/?token={TOKEN}")
    await page.until("state && state.span === 300")
    await page.say("document.querySelector('.spans button[value=\"3600\"]').click()")
    await page.until("state && state.span === 3600 && document.querySelectorAll('svg .line[d^=M]').length >= 6")


async def test_a_flame_graph_is_shown_and_reaches_nothing(served: Any, page: Page):
    """It is somebody else's page: it runs in a frame of its own, which cannot touch this one."""
    url, _ = served
    await page.open(f"{url}/?token={TOKEN}")
    await page.until("state && !document.getElementById('flame').hidden")
    await page.say("document.getElementById('openflame').click()")
    await page.until("document.querySelector('iframe') && performance.getEntriesByType('resource')"
                     ".some(one => one.name.endsWith('/flame'))")  # fmt: skip
    assert "reached" not in await page.say("document.title")
