"""What `seawall load` can be told to call."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seawall.cli import main

Seen = list[tuple[str, str, str]]


class Echo(BaseHTTPRequestHandler):
    """Answers with its path, 404 under /no, and remembers each request."""

    protocol_version = "HTTP/1.1"
    seen: Seen

    def do_GET(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.seen.append((self.command, self.path, body))
        self.send_response(404 if self.path.startswith("/no") else 200)
        self.send_header("Content-Length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    do_POST = do_GET  # noqa: N815 (the standard library's name)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, Seen]]:
    """A real server in a thread of this process."""
    handler = type("Fresh", (Echo,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.daemon_threads = True
        served.block_on_close = False
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}", handler.seen
        served.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a module of targets that is importable while the test runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shop_under_test.py").write_text(
        "import contextlib\n"
        "async def quick(): pass\n"
        "def plain(row): return row['id']\n"
        "def broken(): raise ValueError('two\\nlines')\n"
        "number = 5\n"
        "is_one = lambda found: found == '1'\n"
    )
    (tmp_path / "breaks_when_imported.py").write_text("1 / 0\n")
    return tmp_path


def run(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["load", *words, "--duration", "0.2"])


def lines(result: Result) -> list[str]:
    """What it printed, without the layout."""
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_a_function_is_called_by_name() -> None:
    """It is imported from the current directory, and told as what was called and in which way."""
    result = run("shop_under_test:quick", "--rate", "50")
    assert result.exit_code == 0, result.output
    assert "target quick()" in lines(result)
    assert "ok 10 (100.0%)" in lines(result)
    assert "sent by async callable" in lines(result)
    assert any(line.startswith("generator ") for line in lines(result))


def test_errors_are_shown_with_their_first_words() -> None:
    """In one line, beside the kind."""
    result = run("shop_under_test:broken", "--rate", "50")
    assert "error ValueError 10 (100.0%) two lines" in lines(result)


def test_feeds_data_and_expectations(server: tuple[str, Seen], folder: Path) -> None:
    """Rows fill the URL, bodies take turns and come from files, and answers are held against what was expected."""
    url, seen = server
    (folder / "ids.csv").write_text("id\na b\nc\n")
    (folder / "body").write_text("from a file")
    words = ["--rate", "20", "--feed", "ids.csv", "--data", "text", "--data", "@body", "--json", "r.json"]
    result = run(url + "/x/${id}", *words, "--expect-status", "2xx", "--expect-body", "x/", "--expect-size", "1:4")
    assert result.exit_code == 0, result.output
    assert sorted(set(seen)) == [("POST", "/x/a%20b", "text"), ("POST", "/x/c", "from a file")]
    assert json.loads(Path("r.json").read_text())["outcomes"] == {"2xx": 2, "wrong size": 2}


def test_the_closed_model(server: tuple[str, Seen]) -> None:
    """Users are told in place of a pattern, and nothing is said of late and dropped."""
    result = run(server[0] + "/", "--closed", "2", "--think", "50ms", "--engine", "aiohttp")
    assert result.exit_code == 0, result.output
    assert "model closed model: 2 users, 0.05 s between answer and next request, for 0.2 s" in lines(result)
    assert not any(line.startswith(("late", "dropped", "schedule error", "planned")) for line in lines(result))
    assert len(server[1]) >= 2


def test_warm_up_and_phases_are_a_table() -> None:
    """Each phase is a line; the warm-up is marked as not counted."""
    result = run("shop_under_test:quick", "--rate", "50", "--warmup", "0.1", "--phase", "ramp=0.1")
    assert result.exit_code == 0, result.output
    assert any(line.startswith("warm-up 5 0 ") and line.endswith("not counted") for line in lines(result))
    assert any(line.startswith("ramp 5 0 ") for line in lines(result))
    assert any(line.startswith("rest 5 0 ") for line in lines(result))


def test_a_plan_of_several_scenarios(server: tuple[str, Seen], folder: Path) -> None:
    """A file says what is called, how often and what must be kept; paths in it are from its own folder."""
    plans = folder / "plans"
    plans.mkdir()
    (plans / "ids.csv").write_text("id\n1\n2\n")
    (plans / "shop.toml").write_text(
        f"""
        rate = 100
        duration = "1h"
        thresholds = ["errors{{scenario:lost}}<1%"]
        phases = {{ ramp = "100ms" }}

        [[scenario]]
        name = "lost"
        target = "{server[0]}/no"
        headers = {{ Accept = "text/html" }}

        [[scenario]]
        name = "rows"
        target = "shop_under_test:plain"
        weight = 3
        feed = "ids.csv"
        check = "shop_under_test:is_one"
        """
    )
    result = run("plans/shop.toml", "--json", "r.json")
    assert result.exit_code == 1, result.output
    assert any(line.startswith("lost 5 5 (100.0%)") for line in lines(result))
    assert any(line.startswith("rows 15 ") for line in lines(result))
    facts = json.loads(Path("r.json").read_text())
    assert facts["outcomes"]["status 404"] == 5
    assert facts["outcomes"]["ok"] + facts["outcomes"]["wrong answer"] == 15
    assert [part["name"] for part in facts["phases"]] == ["ramp", "rest"]


SCENARIO = '[[scenario]]\nname = "a"\ntarget = "http://a/"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate = ", "a plan must be a TOML file that can be read, got 'p.toml': Invalid value (at end of document)"),
        ("rate = 5", "p.toml: a plan must have at least one [[scenario]] with a name and a target"),
        ("durration = 5\n" + SCENARIO, "p.toml: there is no key 'durration'; did you mean duration?"),
        (
            "duration = 'soon'\n" + SCENARIO,
            "p.toml: duration: duration must be a number with ms, s, m or h, got 'soon'; "
            "for example 500ms, 30s, 2m or 1h",
        ),
        ("seed = true\n" + SCENARIO, "p.toml: seed: it must be a whole number, got True"),
        ('[[scenario]]\nname = "a"', "p.toml: scenario 'a': target is missing"),
        ('[[scenario]]\ntarget = "http://a/"', "p.toml: scenario 1: name is missing"),
        (SCENARIO + "wieght = 1", "p.toml: scenario 'a': there is no key 'wieght'; did you mean weight?"),
        (
            SCENARIO + "weight = 0",
            "p.toml: scenario 'a': weight must be between 1e-06 and 1,000,000 of the whole, got 0; "
            "leave out what is never called",
        ),
        (
            SCENARIO + "expect_status = [20]",
            "p.toml: scenario 'a': expect_status: expect-status must be statuses from 100 to 599, got '20'; "
            "for example 200,404 or 2xx",
        ),
    ],
)
def test_bad_plans_are_told_with_file_and_key(text: str, message: str) -> None:
    """What cannot be used is refused before anything is sent."""
    Path("p.toml").write_text(text)
    result = CliRunner().invoke(main, ["load", "p.toml"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {message}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["no_such_module:f"],
            "a function must be in a module that can be imported, got 'no_such_module:f': "
            "ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            ["breaks_when_imported:f"],
            "a function must be in a module that can be imported, got 'breaks_when_imported:f': "
            "ZeroDivisionError: division by zero",
        ),
        (
            ["shop_under_test:nothing"],
            "a function must be there, got 'shop_under_test:nothing': "
            "module 'shop_under_test' has no attribute 'nothing'",
        ),
        (["shop_under_test:number"], "a function must be callable, got 'shop_under_test:number', which is 5"),
        (
            ["shop_under_test:quick", "--data", "x"],
            "body goes with a URL, got 'x' beside 'shop_under_test:quick'; leave it out",
        ),
        (["http://a/", "--think", "1s"], "think goes with closed, got 1 seconds alone; for example --closed 50"),
        (
            ["http://a/", "--closed", "5", "--rate", "10"],
            "rate belongs to the open model, got '10' beside closed; leave one out",
        ),
        (["http://a/", "--phase", "x"], "phase must be a new name and a length, got 'x'; for example --phase ramp=10s"),
        (["http://a/", "--data", "@none"], "data must be a text or @FILE, got '@none': No such file or directory"),
        (["http://a/", "--insecure"], "verify goes with an https:// URL, got 'http://a/'; leave it out"),
        (["https://a/", "--insecure", "--ca-file", "x"], "insecure and ca-file say the opposite; leave one out"),
        (
            ["x.toml", "--header", "a: b"],
            "header belongs to a scenario of the plan, got it beside 'x.toml'; write it there",
        ),
        (
            ["http://a/", "--expect-size", "x"],
            "expect-size must be a number of bytes or the least and the most, got 'x'; for example 1:1000",
        ),
    ],
)
def test_bad_usage_is_exit_2(words: list[str], message: str) -> None:
    """What does not go together is refused with the way out."""
    result = CliRunner().invoke(main, ["load", *words])
    assert result.exit_code == 2, result.output
    assert result.stderr.splitlines()[-1] == f"Error: {message}"
