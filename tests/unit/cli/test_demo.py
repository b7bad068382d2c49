"""`seawall demo` end to end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from seawall.cli import main
from seawall.cli.demo import _processes
from seawall.cli.demo._settings import Settings
from seawall.errors import SeawallError

PATTERNS = ["constant", "linear", "step", "spike", "sine"]


def test_a_short_demo_shows_both_variants_under_five_patterns_and_writes_a_report(tmp_path: Path) -> None:
    """Each pattern has a row for each variant and a verdict; the bucket never let in more than promised."""
    out = tmp_path / "report.html"
    command = ["demo", "--duration", "500ms", "--limit", "60", "--burst", "5", "--out", str(out)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    for title in ("constant 65/s", "linear 20 to 200/s", "step 20 to 200/s in 5 levels", "spike 20 to 200/s"):
        assert title in lines
    for variant in ("plain", "guarded", "breaker"):
        drawn = [line for line in lines if line.startswith(f"{variant} ") and line[len(variant) + 1] in "▁▂▃▄▅▆▇█▒·"]
        assert len(drawn) == len(PATTERNS), result.output
        # Nothing is cut off at the right: each row ends with its P99.
        assert variant == "breaker" or all(line.endswith((" ms", " -")) for line in drawn), result.output
    rows = [line.split() for line in lines if line.endswith((" yes", " no"))]
    assert [row[0] for row in rows] == PATTERNS, result.output
    assert sum(int(row[-3]) for row in rows) > 0
    for row in rows:
        let_in, most, kept = int(row[-3]), int(row[-2]), row[-1]
        assert let_in <= most
        # Chance may let the last request of a run come some time before its end.
        assert most >= 5 + 60 * 0.25
        assert kept == "yes"
    beginnings = tuple(f"{name} {words}" for name in PATTERNS for words in ("with guards ", "neither answered "))
    verdicts = [line for line in lines if line.startswith(beginnings)]
    assert [line.split()[0] for line in verdicts] == PATTERNS, result.output
    page = out.read_text()
    assert f"report: {out} (10 runs, " in result.output
    for title in ("without guards", "with guards", "slow spell", "error burst"):
        assert title in page, result.output


def test_bad_usage_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates that cannot be read are exit code 2, before any process is started."""
    monkeypatch.setattr(_processes, "_start", None)
    result = CliRunner().invoke(main, ["demo", "--rate", "200:20"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: high must be at least low, got a low of 200 and a high of 20; swap the two"
    )


def test_a_file_that_is_no_report_is_not_overwritten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is bad usage, before any process is started; a file of the same name by seawall may be replaced."""
    monkeypatch.setattr(_processes, "_start", None)
    monkeypatch.chdir(tmp_path)
    Path("thesis.html").write_text("<html>ten years of work</html>")
    result = CliRunner().invoke(main, ["demo", "--out", "thesis.html"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: out must be a new file or an old report of seawall, got 'thesis.html'; choose another name"
    )
    assert Path("thesis.html").read_text() == "<html>ten years of work</html>"


def test_a_service_that_is_gone_is_said_and_ends_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3 after the first pattern: nothing was reached."""
    begin = _processes.Shop.begin

    async def begin_and_die(self: _processes.Shop, *told: object) -> None:
        await begin(self, *told)  # type: ignore[arg-type]
        self.shop.process.kill()
        await self.shop.process.wait()

    monkeypatch.setattr(_processes.Shop, "begin", begin_and_die)
    result = CliRunner().invoke(main, ["demo", "--duration", "600ms", "--no-report"])
    assert result.exit_code == 3
    assert "the service could not be reached: " in result.output
    assert "linear" not in result.output


async def test_the_services_are_stopped_also_on_errors() -> None:
    """Whatever ends the block, the processes are gone afterwards."""
    started: list[_processes.Shop] = []

    async def fail() -> None:
        async with _processes.shops(1) as shops:
            started.extend(shops)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    (shop,) = started
    assert shop.shop.process.returncode is not None
    assert shop.payments.process.returncode is not None


async def test_a_service_ends_when_its_input_does() -> None:
    """So it does not outlive a demo that was killed."""
    async with _processes.shops(1) as (shop,):
        for service in (shop.shop, shop.payments):
            assert service.process.stdin is not None
            service.process.stdin.close()
        async with asyncio.timeout(30):
            assert await shop.shop.process.wait() == 0
            assert await shop.payments.process.wait() == 0


async def test_a_service_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that ends before it tells its port is reported, not waited for."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SeawallError) as caught:
        async with _processes.shops(1):
            pass
    assert str(caught.value) == "the demo's service did not start; its own words are above"


async def test_what_happens_in_the_services_is_told() -> None:
    """Payments tells its moments of trouble in their order."""
    told: list[str] = []
    over = asyncio.Event()

    def note(name: str, _text: str) -> None:
        told.append(name)
        if name == "error burst over":
            over.set()

    async with _processes.shops(1) as (shop,):
        await shop.begin(Settings(duration=0.3), note)
        async with asyncio.timeout(30):
            await over.wait()
    assert told == ["slow spell", "slow spell over", "error burst", "error burst over"]


def test_ctrl_c_ends_the_demo_and_its_services() -> None:
    """An interrupt ends the demo with exit code 130 and what there is; no process of its own is left."""
    command = [sys.executable, "-m", "seawall.cli", "demo", "--duration", "600ms", "--no-report"]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        seen = ""
        while not seen.startswith("breaker"):
            seen = process.stdout.readline()
            assert seen, "the demo ended before its first pattern did"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; so far:" in rest
    assert " yes" in rest
