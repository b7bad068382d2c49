"""Capacity searches against a real server whose capacity is known."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result
from tests.limited_server import limited
from tests.unit.measure.test_load_engine import serving

from seawall.cli import main
from seawall.errors import ConfigError
from seawall.measure import Capacity, CapacityStep, find_capacity, find_capacity_async

RATE = 200.0
SHORT = {"start": 50.0, "most": 3200.0, "step": 0.4, "precision": 0.2}
FLAGS = ["--start", "50", "--most", "3200", "--step", "400ms", "--precision", "20%"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that does 200 requests a second and not one more."""
    with limited(RATE) as address:
        yield address


def run(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["capacity", *words], env={"COLUMNS": "80"})


def holds_the_rate(low: float, high: float) -> bool:
    """Whether the interval holds the known rate, which in so short a step a backlog of 5 ms may hide by 2 %."""
    return low <= RATE * 1.02 and high >= RATE * 0.98


def test_a_known_capacity_is_found(url: str) -> None:
    """With an interval no wider than asked for, and every step told in order."""
    told: list[CapacityStep] = []
    found = find_capacity(url, thresholds=["p99<500ms", "errors<1%"], on_step=told.append, **SHORT)
    assert found.ended == "found", found.to_json()
    assert holds_the_rate(found.low, found.high)
    assert found.low <= found.rate <= found.high <= found.low * 1.2
    assert tuple(told) == found.steps
    assert "passed" not in {one.outcome for one in told if one.rate > 300}
    assert "passed" in {one.outcome for one in told if one.rate < 190}


async def test_nothing_passes() -> None:
    """A target that fails at the first rate is tried twice and found unfit, inside of a running loop too."""

    async def broken(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    async with serving(broken) as address:
        found = await find_capacity_async(address, **SHORT)
    assert (found.rate, found.low, found.high, found.ended) == (0.0, 0.0, 50.0, "none passed")
    assert [one.outcome for one in found.steps] == ["failed", "failed"]
    assert [one.reason.startswith("errors<1%: ") for one in found.steps] == [True, True]


async def test_a_target_that_does_not_recover_ends_the_search() -> None:
    """After an overload the lowest rate that passed must pass again, or the search stops hurting the target."""
    seen = 0

    async def breaks_for_good(_request: web.Request) -> web.Response:
        nonlocal seen
        seen += 1
        return web.Response(status=200 if seen <= 30 else 500)

    async with serving(breaks_for_good) as address:
        found = await find_capacity_async(address, **SHORT)
    assert found.ended == "not recovered"
    assert [one.outcome for one in found.steps] == ["passed", "failed"]


async def test_stopping_gives_what_is_known(url: str) -> None:
    """The step under way does not count, those before do, and the upper end is open."""
    stop = asyncio.Event()
    found = await find_capacity_async(url, on_step=lambda step: stop.set(), stop=stop, **SHORT)
    assert (found.rate, found.high, found.ended) == (50.0, math.inf, "interrupted")
    assert len(found.steps) == 1
    assert json.loads(found.to_json())["high"] is None


async def test_a_loop_of_its_own_is_needed() -> None:
    """Inside of an event loop the blocking form says which one to use."""
    with pytest.raises(RuntimeError) as caught:
        find_capacity("http://127.0.0.1:9/")
    assert str(caught.value) == (
        "find_capacity() needs a thread without a running event loop; await find_capacity_async() instead"
    )


def test_bad_options_are_refused_before_anything_is_sent() -> None:
    """Those of the search, of its steps and of load tests alike."""
    with pytest.raises(ConfigError) as caught:
        find_capacity("http://a/", duration=5)
    assert str(caught.value) == (
        "duration is not an option of a capacity search; it sets rates, and step= sets lengths"
    )
    with pytest.raises(ConfigError) as caught:
        find_capacity("http://a/", step=0.01)
    assert str(caught.value) == "step must be between 0.1 and 3,600 seconds, got 0.01; 5 is the default"
    with pytest.raises(ConfigError) as caught:
        find_capacity("http://a/", max_concurrency=0)
    assert str(caught.value) == "max_concurrency must be between 1 and 100,000 requests, got 0; 512 is the default"


def test_the_command_shows_steps_picture_and_answer(url: str, tmp_path: Path) -> None:
    """In 80 columns, with exit code 0, and the whole answer in the JSON file."""
    file = tmp_path / "capacity.json"
    result = run(url, *FLAGS, "--threshold", "p99<500ms", "--json", str(file))
    assert result.exit_code == 0, result.output
    assert max(len(line) for line in result.output.splitlines()) <= 80
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[:4] == [
        f"target GET {url}",
        "thresholds p99<500ms",
        "rates from 50/s up to 3,200/s, 0.4 s each",
        "goal an interval of 20 % at 90 % confidence, at most 50 steps",
    ]
    facts = json.loads(file.read_text())
    assert f"steps {len(facts['steps'])}" in lines
    assert f"interval {facts['low']:,.5g}/s to {facts['high']:,.5g}/s at 90 % confidence" in lines
    assert f"capacity {facts['rate']:,.5g}/s" in lines
    assert any(line.startswith("P99 by rate: ● passed, ✗ failed") for line in lines)
    assert holds_the_rate(facts["low"], facts["high"])
    assert facts["steps"][0]["result"]["planned"] == 20


def test_all_passed_is_exit_0_and_open_above(url: str) -> None:
    """The answer is at least the highest rate, and how to look further."""
    result = run(url, "--start", "20", "--most", "50", "--step", "300ms")
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "capacity at least 50/s" in lines
    assert "note even the highest rate passed: raise --most to look further" in lines


def test_none_passed_is_exit_1(url: str) -> None:
    """Not even the first rate keeps the threshold."""
    result = run(url, "--start", "50", "--step", "200ms", "--threshold", "max<1us")
    assert result.exit_code == 1, result.output
    assert "not even the first rate passed" in result.output


def test_nothing_reached_is_exit_3() -> None:
    """Said with the first error."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    result = run(f"http://127.0.0.1:{port}/", "--step", "300ms")
    assert result.exit_code == 3, result.output
    assert "nothing could be reached" in result.output


def test_the_generators_limit_is_exit_4(url: str) -> None:
    """With one place only, requests that take as long as ever wait for each other: nothing is said about the target."""
    words = ["--start", "20", "--most", "500", "--step", "300ms", "--max-concurrency", "1", "--threshold", "p50<20ms"]
    result = run(url, *words)
    assert result.exit_code == 4, result.output
    said = " ".join(result.output.split())
    assert "capacity at least" in said
    assert "the generator's own limit was met, so the upper end is open at" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--start", "5", "--most", "4"],
            "start must be below most, got start 5 and most 4 requests a second; start where the target surely passes",
        ),
        (
            ["--json", "/nowhere/at/all.json"],
            "json must be a file in a directory that exists, got '/nowhere/at/all.json'; make the directory first",
        ),
    ],
)
def test_bad_usage_is_exit_2(words: list[str], message: str) -> None:
    """Refused before anything is sent."""
    result = run("http://a/", *words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {message}"


def test_ctrl_c_prints_what_is_known(url: str) -> None:
    """An interrupt ends a long search at once, with the steps so far and exit code 130."""
    command = [sys.executable, "-m", "seawall.cli", "capacity", url, "--start", "50", "--step", "1s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = ""
        while "passed" not in shown:
            line = process.stdout.readline()
            assert line, process.communicate()
            shown += line
        process.send_signal(signal.SIGINT)
        rest, problems = process.communicate(timeout=60)
    assert process.returncode == 130, problems
    assert "interrupted; this is what was known so far" in rest


def test_an_answer_is_json() -> None:
    """An open end is null, as JSON has no infinity."""
    facts = json.loads(Capacity(5.0, 4.0, math.inf, 0.9, "generator", ()).to_json())
    assert facts == {"rate": 5.0, "low": 4.0, "high": None, "confidence": 0.9, "ended": "generator", "steps": []}
