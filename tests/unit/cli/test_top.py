"""`seawall top` and `seawall dashboard`: a segment, looked at from outside."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import sys

import aiohttp
import pytest
from click.testing import CliRunner
from rich.console import Console

import seawall as sw
from seawall.cli import main
from seawall.cli._segment import Watched
from seawall.cli._top_view import top_view, trend
from seawall.measure import Counter, Histogram
from seawall.memory import Segment
from seawall.observe import Family, Recording, Sample, Selector, Snapshot
from seawall.observe.metrics import Metrics


@pytest.fixture
def segment():
    """A segment with a limit, an open breaker, metrics, and a counter and a histogram that stand alone."""
    name = f"test-top-{os.getpid()}"
    Segment.remove(name)
    made = Segment(name, size=32 << 20)
    limit = sw.TokenBucket(100, burst=3, shared=made, name="api")
    for _ in range(5):
        limit.try_acquire()
    sw.CircuitBreaker("payments", failure_ratio=0.5, shared=made).force_open()
    metrics = Metrics(made)
    metrics.counter("requests", "Asked.", labels=("route",)).labels("/orders").inc(7)
    metrics.histogram("latency_seconds", "Took.").observe(0.02)
    Counter(shared=made, name="alone").inc(3)
    Histogram(shared=made, name="times").record(0.5)
    yield made
    Segment.remove(name)


def shown(recording: Recording, *, width: int = 130, height: int = 40) -> str:
    """The screen as text."""
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(top_view(recording, title="shop", width=width, height=height))
    return console.export_text()


def test_all_of_a_segment_is_read_from_outside(segment: Segment):
    """Metrics of workers, and what limits, breakers, counters and histograms in it say themselves."""
    snapshot = Watched(segment.name).snapshot()
    values = {
        name: snapshot.select(Selector(name))[0].value for name in ("requests", "alone", "seawall_limit_admitted")
    }
    assert values == {"requests": 7, "alone": 3, "seawall_limit_admitted": 3}
    assert snapshot.select("seawall_limit_refused")[0].value == 2
    assert snapshot.select(Selector("seawall_breaker_state", state="forced_open"))[0].value == 1
    assert snapshot.select("latency_seconds")[0].value.count == snapshot.select("times")[0].value.count == 1


def test_looking_changes_nothing(segment: Segment):
    """Settings of what is looked at stay as they were."""
    before = segment.describe()
    Watched(segment.name).snapshot()
    limit = sw.TokenBucket(100, burst=3, shared=segment, name="api")
    assert "100 per second, at most 3" in repr(limit.stats())
    assert segment.describe() == before


def test_what_comes_later_is_found(segment: Segment):
    """A slot that is made while somebody looks is looked at, too."""
    watched = Watched(segment.name)
    watched.snapshot()
    Counter(shared=segment, name="later").inc(2)
    assert watched.snapshot().select("later")[0].value == 2


def test_a_guard_that_workers_publish_is_told_once(segment: Segment):
    """What stands in the segment and is instrumented, too, is one row."""
    limit = sw.TokenBucket(100, burst=3, shared=segment, name="api")
    metrics = Metrics(segment)
    metrics.instrument(limit)
    metrics.flush()
    assert len(Watched(segment.name).snapshot().select(Selector("seawall_limit_admitted", name="api"))) == 1


def recording_of(seconds: int) -> Recording:
    """A limit that refuses more each second, and a metric."""
    recording = Recording()
    for at in range(seconds):
        guard = (("name", "api"), ("pipeline", ""))
        recording.append(
            Snapshot(
                1000.0 + at,
                (
                    Family("seawall_limit_admitted", "counter", (Sample(guard, 20.0 * at),)),
                    Family("seawall_limit_refused", "counter", (Sample(guard, float(at * at)),)),
                    Family("sent", "counter", (Sample((("to", "é"),), 2.0 * at),), unit="bytes"),
                ),
            )
        )
    return recording


def test_the_screen_says_rates_trends_and_totals():
    """Of guards and of metrics, over the last ten seconds."""
    text = shown(recording_of(20))
    assert re.search(r"api +limit +20 +28 +[▁▂▃▄▅▆▇█ ]+ +361", text)
    assert re.search(r"sent +to=é +2/s +█+ +38 B in all", text)


def test_a_narrow_screen_leaves_out_pictures_and_no_number():
    """At eighty columns no line is longer, and each number is whole."""
    text = shown(recording_of(20), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"api +limit +20 +28 +361", text)


def test_a_low_screen_counts_what_it_leaves_out():
    """Forty series on twelve rows."""
    family = Family("many", "gauge", tuple(Sample((("n", f"{n:02}"),), float(n)) for n in range(40)))
    recording = Recording()
    recording.append(Snapshot(1.0, (family,)))
    text = shown(recording, height=12)
    assert len(text.splitlines()) <= 12
    assert "more series; --once shows all" in text


def test_nothing_read_yet_and_nothing_there():
    """Both are said."""
    assert shown(Recording()).strip() == "shop: nothing has been read yet"
    recording = Recording()
    recording.append(Snapshot(1.0))
    assert "no limits, breakers or metrics stand in this segment yet" in shown(recording)


def test_a_trend_is_as_high_as_its_highest():
    """Rates of the last two dozen seconds, rising."""
    drawn = trend(recording_of(10), Selector("seawall_limit_refused"))
    assert drawn[0] == "▁"
    assert drawn[-1] == "█"
    assert len(drawn) == 9


def test_top_once_prints_the_segment(segment: Segment):
    """For scripts: two looks, all of it, and an end."""
    result = CliRunner().invoke(main, ["top", segment.name, "--once", "--every", "0.1"])
    assert result.exit_code == 0, result.output
    assert "payments" in result.output
    assert "forced open" in result.output


def test_top_json_is_a_snapshot(segment: Segment):
    """What programs read."""
    result = CliRunner().invoke(main, ["top", segment.name, "--json"])
    assert Snapshot.from_dict(json.loads(result.output)).family("alone").samples[0].value == 3


@pytest.mark.parametrize("command", ["top", "dashboard"])
def test_a_segment_that_is_not_there(command: str):
    """Exit code 3, and what to do."""
    result = CliRunner().invoke(main, [command, "test-top-none"])
    assert result.exit_code == 3
    assert "there is no segment" in result.output


def test_a_page_for_all_is_for_this_machine_only(segment: Segment):
    """No token on an address that others reach is refused."""
    result = CliRunner().invoke(main, ["dashboard", segment.name, "--open-to-all", "--host", "0.0.0.0"])
    assert result.exit_code == 2
    assert "--open-to-all needs a --host that only this machine reaches, got 0.0.0.0" in result.output


async def test_the_dashboard_command_serves_the_segment(segment: Segment):
    """It prints an address with a token, shows nothing without it, streams, and ends when told."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "seawall.cli", "dashboard", segment.name, "--port", "0",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        url, _, token = line.decode().strip().partition("?token=")
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            async with client.get(url + "state") as refused:
                assert refused.status == 401
            async with client.get(f"{url}?token={token}") as page:
                assert (page.status, page.url.query_string) == (200, "")
            async with client.get(url + "events", headers={"authorization": f"Bearer {token}"}) as events:
                while not (event := await events.content.readline()).startswith(b"data: "):
                    pass
                state = json.loads(event[6:])
                assert {row["name"] for row in state["guards"]} == {"api", "payments"}
                assert state["overall"]["names"] == "payments"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
