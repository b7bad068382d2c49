"""`seawall demo` end to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from seawall.cli import _process, main
from seawall.errors import SeawallError


def test_a_short_demo_shows_five_patterns_and_the_promise_kept() -> None:
    """Each pattern shows what was asked, let through and refused, and the bucket never gave more than promised."""
    result = CliRunner().invoke(main, ["demo", "--duration", "600ms", "--limit", "50", "--burst", "5"])
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    for title in (
        "constant 155/s (limit 50/s)",
        "linear 20 to 200/s (limit 50/s)",
        "step 20 to 200/s in 5 levels (limit 50/s)",
        "spike 20 to 200/s (limit 50/s)",
        "sine 20 to 200/s (limit 50/s)",
    ):
        assert title in lines
    rows = {line.split()[0]: line.split() for line in lines if line.endswith((" yes", " no"))}
    assert list(rows) == ["constant", "linear", "step", "spike", "sine"]
    for _, _, asked, refused, through, most, kept in rows.values():
        assert kept == "yes"
        assert 0 < int(through) <= int(most)
        assert int(asked) == int(refused) + int(through)
    assert int(rows["constant"][2]) == 93
    assert int(rows["constant"][3]) > 0


def test_bad_usage_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates that cannot be read are exit code 2, before any process is started."""
    monkeypatch.setattr(subprocess, "Popen", None)
    result = CliRunner().invoke(main, ["demo", "--rate", "200:20"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: high must be at least low, got a low of 200 and a high of 20; swap the two"
    )


def test_the_service_is_stopped_also_on_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the block, the process is gone afterwards."""
    started: list[subprocess.Popen[str]] = []
    stop = _process._stop
    monkeypatch.setattr(_process, "_stop", lambda process: (started.append(process), stop(process)))
    with pytest.raises(ZeroDivisionError), _process.running(50, 5):
        raise ZeroDivisionError
    (process,) = started
    assert process.poll() is not None


def test_a_service_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that ends before it tells its port is reported, not waited for."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SeawallError) as caught, _process.running(50, 5):
        pass
    assert str(caught.value) == "the demo's service did not start; its own words are above"


def test_ctrl_c_ends_the_demo_and_its_service() -> None:
    """An interrupt ends the demo with exit code 130, and no process of its own is left."""
    command = [sys.executable, "-m", "seawall.cli", "demo", "--duration", "600ms", "--rate", "20:50"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None
        seen = ""
        while "planned" not in seen:
            seen = process.stdout.readline()
            assert seen, "the demo ended before its first pattern did"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
