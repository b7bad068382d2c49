"""`seawall load` as people run it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seawall.cli import main
from seawall.measure import Baselines


class Hello(BaseHTTPRequestHandler):
    """Answers every request with five bytes, and remembers it."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, str]]
    first: threading.Event

    def do_GET(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.seen.append((self.command, self.headers.get("X-Test", ""), body))
        self.first.set()
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    do_POST = do_GET  # noqa: N815 (the standard library's name)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[Hello]]]:
    """A real server in a thread of this process."""
    handler = type("Fresh", (Hello,), {"seen": [], "first": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.daemon_threads = True
        served.block_on_close = False
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}/", handler
        served.shutdown()
        thread.join()


def run(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["load", *words])


def test_a_run_prints_plan_result_and_verdict(server: tuple[str, type[Hello]]) -> None:
    """The plan comes first, then counts, both kinds of times side by side, the schedule error and the verdict."""
    url, handler = server
    result = run(url, "--pattern", "spike", "--rate", "20:100", "--duration", "500ms")
    assert result.exit_code == 0, result.output
    assert len(handler.seen) == 14
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[:3] == [
        f"target GET {url}",
        "pattern spike 20 to 100/s for 0.5 s, uniform arrivals",
        "planned 14 requests, at most 512 at once",
    ]
    assert re.fullmatch("▂+[▂-█]*█+[▂-█]*▂+", lines[3])
    assert "sent 14 of 14 planned" in lines
    assert "2xx 14 (100.0%)" in lines
    assert "late 0 waited for a place" in lines
    assert "dropped 0 never sent" in lines
    assert "response time service time" in lines
    heads = [line.split(" ")[0] for line in lines if line]
    for name in ("P50", "P75", "P90", "P95", "P99", "P99.9", "max", "throughput", "verdict"):
        assert name in heads


def test_json_and_request_options(server: tuple[str, type[Hello]], tmp_path: Path) -> None:
    """Headers and data are sent, data makes it a POST, and the JSON file has the result."""
    url, handler = server
    file = tmp_path / "result.json"
    words = ["--rate", "20", "--duration", "0.2", "--header", "X-Test: a:b", "--data", "body", "--json", str(file)]
    result = run(url, *words)
    assert result.exit_code == 0, result.output
    assert set(handler.seen) == {("POST", "a:b", "body")}
    facts = json.loads(file.read_text())
    assert (facts["planned"], facts["outcomes"]) == (4, {"2xx": 4})


def test_json_on_standard_output_is_alone_there(server: tuple[str, type[Hello]]) -> None:
    """With `--json -` the tables go to standard error."""
    result = run(server[0], "--rate", "20", "--duration", "0.2", "--json", "-")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["completed"] == 4
    assert "verdict" in result.stderr


def test_thresholds_are_listed_and_decide_the_exit_code(server: tuple[str, type[Hello]], tmp_path: Path) -> None:
    """Each threshold is shown with what was measured; one that failed makes the exit code 1."""
    words = [server[0], "--rate", "20", "--duration", "0.2", "--threshold", "errors<1%"]
    kept = run(*words, "--threshold", "max<20s")
    assert kept.exit_code == 0, kept.output
    file = tmp_path / "result.json"
    failed = run(*words, "--threshold", "max<1us", "--json", str(file))
    assert failed.exit_code == 1, failed.output
    lines = [" ".join(line.split()) for line in failed.output.splitlines()]
    assert "threshold errors<1% 0.00% ok" in lines
    assert any(re.fullmatch(r"threshold max<1us [\d,.]+ us FAILED", line) for line in lines)
    facts = json.loads(file.read_text())
    assert [outcome["passed"] for outcome in facts["thresholds"]] == [True, False]
    assert facts["blocks"][0] == "#[Histogram log format version 1.3]"


def test_without_the_baseline_nothing_is_sent_unless_that_is_allowed(
    server: tuple[str, type[Hello]], tmp_path: Path
) -> None:
    """A job learns before the run, not after it, that its cache was lost; a first run goes on and may be kept."""
    url, handler = server
    folder = tmp_path / "kept"
    words = [url, "--rate", "50", "--duration", "0.2", "--folder", str(folder), "--baseline", "main"]
    told = f"no baseline 'main' in {str(folder)!r}: nothing to compare with; save one with `seawall baseline save`"
    missing = run(*words)
    assert (missing.exit_code, missing.output, handler.seen) == (5, f"{told}\n", [])
    first = run(*words, "--save-baseline", "main", "--allow-missing", "--revision", "abc")
    assert (first.exit_code, first.output.splitlines()[0]) == (0, told)
    assert len(handler.seen) == 10
    # A busy machine may delay the generator, and then the run is not kept: that is said.
    kept = [(one.completed, one.revision, one.pattern) for base in Baselines(folder).list() for one in base.runs]
    assert (kept == [(10, "abc", "constant 50/s for 0.2 s")]) != ("not kept as baseline 'main'" in first.output)


def test_a_run_that_failed_is_not_kept(server: tuple[str, type[Hello]], tmp_path: Path) -> None:
    """A missed threshold is the exit code and such a run is no baseline."""
    words = ["--rate", "20", "--duration", "0.2", "--threshold", "max<1us", "--folder", str(tmp_path / "kept")]
    failed = run(server[0], *words, "--save-baseline", "main")
    assert failed.exit_code == 1, failed.output
    assert Baselines(tmp_path / "kept").list() == ()


def test_abort_ends_a_run_that_has_failed(server: tuple[str, type[Hello]], tmp_path: Path) -> None:
    """An hour is not needed to know that a maximum was missed; the exit code is that of the threshold."""
    file = tmp_path / "result.json"
    words = ["--duration", "1h", "--threshold", "errors<1%", "--threshold", "max<1us", "--abort", "--json", str(file)]
    result = run(server[0], *words)
    assert result.exit_code == 1, result.output
    assert re.search(r"ended after \d+\.\d s: max<1us can no longer be kept; measured so far:", result.output)
    facts = json.loads(file.read_text())
    assert (facts["aborted"], facts["interrupted"]) == ("max<1us", True)
    assert [outcome["passed"] for outcome in facts["thresholds"]] == [True, False]


def test_nothing_reached_is_exit_3() -> None:
    """When every request failed to connect, that is said plainly with the first error."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    result = run(f"http://127.0.0.1:{port}/", "--rate", "100", "--duration", "60s")
    assert result.exit_code == 3, result.output
    said = " ".join(result.output.split())
    words = rf"nothing could be reached: all \d+ requests failed, the first with: 127.0.0.1:{port}: Connection refused"
    assert re.search(words, said), said
    assert "verdict" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["http://a/", "--pattern", "square"],
            "pattern must be one of constant, linear, step, spike, sine, stages, replay, got 'square'; "
            "for example spike",
        ),
        (
            ["http://a/", "--pattern", "sine"],
            "rate of sine must be two rates with a colon between in requests a second, got '50'; for example 50:500",
        ),
        (
            ["http://a/", "--rate", "-5"],
            "rate must be between 0 and 1,000,000 requests a second, got -5; use 0 for silence",
        ),
        (
            ["localhost:80"],
            "target must be an http:// or https:// URL with a host, got 'localhost:80'; for example http://127.0.0.1:8000/",
        ),
        (
            ["http://a/", "--duration", "soon"],
            "Invalid value for '--duration': duration must be a number with ms, s, m or h, got 'soon'; "
            "for example 500ms, 30s, 2m or 1h",
        ),
        (
            ["http://a/", "--threshold", "p99<250"],
            "unit of p99 must be us or ms or s, got '' in 'p99<250'; for example 250ms",
        ),
        (
            ["http://a/", "--header", "Accept"],
            "header must be a name and a value, got 'Accept'; for example 'Accept: text/html'",
        ),
        (
            ["http://a/", "--json", "/nowhere/at/all.json"],
            "json must be a file in a directory that exists, got '/nowhere/at/all.json'; make the directory first",
        ),
    ],
)
def test_bad_usage_is_exit_2(words: list[str], message: str) -> None:
    """What cannot be read is refused before anything is sent, with the value, the range and the way out."""
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {message}"


def test_ctrl_c_prints_what_was_measured(server: tuple[str, type[Hello]]) -> None:
    """An interrupt ends a long run at once, with a result and exit code 130."""
    url, handler = server
    command = [sys.executable, "-m", "seawall.cli", "load", url, "--duration", "1h", "--rate", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert handler.first.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err == ""
    assert "interrupted after " in out
    assert "2xx" in out or "cut off" in out
    assert "verdict" in out
