"""`seawall report`, and what `seawall load` leaves to look at."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.results import bare, full

from seawall.cli import main
from seawall.measure import LoadResult


class Hello(BaseHTTPRequestHandler):
    """Answers hello, and every fourth time 503."""

    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self) -> None:
        """Answer."""
        type(self).served += 1
        self.send_response(503 if self.served % 4 == 0 else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    """A real server in a thread of this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Fresh", (Hello,), {"served": 0})) as served:
        served.daemon_threads = True
        served.block_on_close = False
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}/"
        served.shutdown()
        thread.join()


def run(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, list(words))


def test_a_load_test_leaves_page_summary_and_json_that_agree(url: str, tmp_path: Path) -> None:
    """All three are of the same run, and the page can be drawn again from the JSON."""
    page, words, saved = (tmp_path / name for name in ("run.html", "run.md", "run.json"))
    options = ["--rate", "40", "--duration", "0.5", "--html", str(page), "--markdown", str(words), "--json", str(saved)]
    done = run("load", url, *options)
    assert done.exit_code == 0, done.output
    result = LoadResult.from_json(saved)
    assert result.outcomes == {"2xx": 15, "status 503": 5}
    assert page.read_text(encoding="utf-8") == result.to_html()
    assert words.read_text(encoding="utf-8") == result.to_markdown()
    assert "| status 503 | 5 | 25 % |" in words.read_text(encoding="utf-8")
    again = tmp_path / "again.html"
    assert run("report", str(saved), "--out", str(again), "--title", "again").exit_code == 0
    assert "<h1>again</h1>" in again.read_text(encoding="utf-8")


def test_markdown_on_standard_output_is_alone_there(url: str) -> None:
    """With `--markdown -` the tables go to standard error."""
    done = run("load", url, "--rate", "20", "--duration", "0.2", "--markdown", "-")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("### Load test")
    assert "verdict" in done.stderr


def test_several_files_become_one_page_named_by_them(tmp_path: Path) -> None:
    """Files of one name are told apart by their directories."""
    names = []
    for place in ("old", "new", "other"):
        (tmp_path / place).mkdir()
        file = tmp_path / place / ("other.json" if place == "other" else "run.json")
        file.write_text(full(duration=10.0, notes=0).to_json())
        names.append(str(file))
    out = tmp_path / "report.html"
    done = run("report", *names, "--out", str(out))
    assert done.exit_code == 0, done.output
    page = out.read_text(encoding="utf-8")
    assert done.output == f"{out}: 3 runs, {len(page.encode()) / 1024:,.0f} KiB\n"
    assert f'<a href="#run-1">{names[0]}</a>' in page
    assert '<a href="#run-3">other</a>' in page


def test_a_failed_run_still_leaves_its_page(tmp_path: Path, url: str) -> None:
    """A threshold that failed is what one wants to look at."""
    page = tmp_path / "run.html"
    done = run("load", url, "--rate", "20", "--duration", "0.2", "--threshold", "errors<1%", "--html", str(page))
    assert done.exit_code == 1, done.output
    assert "1 of 1 threshold failed" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--html", "/nowhere/run.html"],
            "html must be a file in a directory that exists, got '/nowhere/run.html'; make the directory first",
        ),
        (
            ["--markdown", "/nowhere/run.md"],
            "markdown must be a file in a directory that exists, got '/nowhere/run.md'; make the directory first",
        ),
        (
            ["--json", "-", "--markdown", "-"],
            "markdown must be another file than json, got '-' for both; name two files",
        ),
    ],
)
def test_files_are_checked_before_the_run(options: list[str], message: str) -> None:
    """Nothing is sent where the result could not be kept."""
    done = run("load", "http://127.0.0.1:1/", *options)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == f"Error: {message}"


def test_bad_files_are_bad_usage(tmp_path: Path) -> None:
    """What is no result is named, and a result is never overwritten by its page."""
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_text(json.dumps({"schema": 1}))
    good.write_text(replace(bare(ended=3)).to_json())
    done = run("report", str(bad), "--out", str(tmp_path / "report.html"))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == (
        f"Error: source must be a saved load test, got {str(bad)!r} (KeyError: 'verdict'); "
        "write it with `seawall load --json` or LoadResult.to_json()"
    )
    kept = good.read_text()
    done = run("report", str(good), "--out", str(good))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == (
        f"Error: out must be another file than the runs, got {str(good)!r}; for example report.html"
    )
    assert good.read_text() == kept
    assert not (tmp_path / "report.html").exists()
