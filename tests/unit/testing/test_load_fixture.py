"""The fixture load_test, in pytest runs of their own against a real server."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from seawall.measure import Constant, Replay, Spike, Stages, compare
from seawall.measure.load import LoadResult, Pattern, arrival_times
from seawall.testing import LoadTester
from seawall.testing._hurried import Hurried
from seawall.testing._load import file_name

pytest_plugins = ["pytester"]


class Words(BaseHTTPRequestHandler):
    """Answers 500 at /broken and 200 elsewhere."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A real server in a thread of this process."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Words) as served:
        served.daemon_threads = True
        served.block_on_close = False
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def inner(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    """Run tests in a pytest of their own, which finds the plugin as any project would."""
    pytester.makepyfile("from seawall.measure import Constant, Spike, Stages\n" + source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options, timeout=120)


def test_a_load_test_that_holds_gives_its_result(pytester: pytest.Pytester, url: str) -> None:
    """The test goes on with the result, and the session sums up."""
    source = f"""
def test_shop(load_test):
    result = load_test("{url}/", Constant(50), duration=0.2, thresholds=["max<20s", "errors<1%"], require_valid=False)
    assert result.outcomes == {{"2xx": 10}}
"""
    done = inner(pytester, source)
    done.assert_outcomes(passed=1)
    title = re.escape(f"constant 50/s for 0.2 s, GET {url}/: 10 requests, 0 failed")
    done.stdout.re_match_lines(
        [".*= load tests =.*", rf"ok     \S+::test_shop: {title}, P50 [\d.,]+ ms, P99 [\d.,]+ ms"]
    )


def test_a_failed_threshold_fails_the_test_with_all_numbers(pytester: pytest.Pytester, url: str) -> None:
    """The failure shows the line of the test, each threshold with its value, the verdict, outcomes and percentiles."""
    source = f"""
def test_shop(load_test):
    load_test("{url}/broken", Constant(50), duration=0.2, thresholds=["max<20s", "errors<1%"], require_valid=False)
"""
    done = inner(pytester, source)
    done.assert_outcomes(failed=1)
    done.stdout.re_match_lines(
        [
            r">       load_test\(.*",
            r"E       Failed: load test failed: errors<1% was not kept: 100.00%",
            r"E         test       constant 50/s for 0.2 s, GET .*/broken",
            r"E         threshold  max<20s: [\d.]+ s ok",
            r"E         threshold  errors<1%: 100.00% FAILED",
            r"E         verdict    .+",
            r"E         requests   10 of 10 planned, 0 late, 0 never sent, in [\d.]+ s",
            r"E         outcomes   status 500 10",
            r"E         times      P50 [\d.,]+ ms, P75 .*, P99.9 [\d.,]+ ms, max [\d.,]+ ms",
            r"FAILED \S+::test_shop: constant .*: 10 requests, 10 failed, .*",
            r"       errors<1% was not kept: 100.00%",
        ]
    )
    done.stdout.no_fnmatch_line("*seawall/testing/_load.py*")


def test_a_generator_that_was_the_bottleneck_fails_unless_that_is_allowed(pytester: pytest.Pytester, url: str) -> None:
    """A run that speaks of the generator proves nothing, whatever its thresholds say."""
    source = f"""
import pytest

SLOW = dict(duration=0.01, max_concurrency=1, thresholds=["errors<1%"])

def test_believed(load_test):
    load_test("{url}/", Constant(2000), **SLOW)

def test_allowed(load_test):
    load_test("{url}/", Constant(2000), require_valid=False, **SLOW)
"""
    done = inner(pytester, source)
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.re_match_lines(
        [r"E       Failed: load test failed: the generator was the bottleneck: max_concurrency was reached and .*"]
    )


def test_nothing_reached_fails(pytester: pytest.Pytester) -> None:
    """A server that is not there never passes, thresholds or not."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    source = f"""
def test_gone(load_test):
    load_test("http://127.0.0.1:{port}/", Constant(50), duration=0.2, require_valid=False)

def test_silent(load_test):
    load_test("http://127.0.0.1:{port}/", Constant(0), duration=0.2)
"""
    done = inner(pytester, source)
    done.assert_outcomes(failed=2)
    done.stdout.re_match_lines(
        [
            rf"E       Failed: load test failed: nothing could be reached: Cannot connect to host 127.0.0.1:{port} .*",
            "E       Failed: load test failed: no request was due: raise the rate or the duration",
        ]
    )


ASYNC = """
async def test_async(load_test):
    result = await load_test.run_async("{url}/", Constant(50), duration=0.2, require_valid=False)
    assert result.completed == 10

async def test_blocking(load_test):
    with pytest.raises(RuntimeError, match="await run_async"):
        load_test("{url}/", Constant(50), duration=0.2)
"""


def test_async_tests_under_pytest_asyncio(pytester: pytest.Pytester, url: str) -> None:
    """The async form runs in the loop of the test; the blocking one says which to use."""
    done = inner(pytester, "import pytest\n" + ASYNC.format(url=url), "-o", "asyncio_mode=auto")
    done.assert_outcomes(passed=2)


def test_async_tests_under_anyio(pytester: pytest.Pytester, url: str) -> None:
    """The same under the plugin of anyio, on asyncio."""
    source = "import pytest\npytestmark = pytest.mark.anyio\n" + ASYNC.format(url=url)
    source += '\n@pytest.fixture\ndef anyio_backend():\n    return "asyncio"\n'
    inner(pytester, source, "-p", "no:asyncio").assert_outcomes(passed=2)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_results_are_written_for_each_run(pytester: pytest.Pytester, url: str, workers: tuple[str, ...]) -> None:
    """A file for each load test, under the same name each time, and one for all, from xdist's workers too."""
    source = f"""
import pytest

@pytest.mark.parametrize("path", ["", "broken"])
def test_shop(load_test, path):
    for _ in range(2):
        load_test("{url}/" + path, Constant(50), duration=0.2, thresholds=["errors<1%"], require_valid=False)
"""
    done = inner(pytester, source, "--seawall-results", "made/results", *workers)
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["results are in made/results"])
    folder = pytester.path / "made" / "results"
    rows = json.loads((folder / "summary.json").read_text())["load_tests"]
    assert sorted(row["passed"] for row in rows) == [False, True, True]
    assert sorted(file.name for file in folder.iterdir()) == sorted([*(row["file"] for row in rows), "summary.json"])
    kept = [row for row in rows if row["passed"]]
    facts = json.loads((folder / kept[0]["file"]).read_text())
    assert (facts["test"], facts["run"], facts["passed"]) == (kept[0]["test"], 1, True)
    assert facts["outcomes"] == {"2xx": 10}
    # The files are results like any other, so that two sessions can be compared.
    assert compare(folder / kept[0]["file"], folder / kept[1]["file"]).verdict == "cannot tell"


def test_a_scale_shortens_every_run(pytester: pytest.Pytester, url: str) -> None:
    """Rates and shapes stay, lengths shrink: what is written for a minute can be tried in a moment."""
    source = f"""
def test_spike(load_test):
    result = load_test("{url}/", Spike(100, 400, at=30, width=6), duration=60, require_valid=False)
    assert result.planned == 39

def test_stages(load_test):
    result = load_test("{url}/", Stages([(10, 200), (20, 200)]), duration=30, require_valid=False)
    assert result.planned == 25
"""
    done = inner(pytester, source, "--seawall-load-scale", "0.005")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["run for 0.005 of their durations (--seawall-load-scale)"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--seawall-load-scale", "2"],
            "ERROR: --seawall-load-scale must be above 0 and at most 1, got 2; 0.1 is a tenth of the time",
        ),
        (
            ["--seawall-results", "/dev/null/x"],
            "ERROR: --seawall-results must be a directory that can be made, got '/dev/null/x': Not a directory",
        ),
    ],
)
def test_bad_options_are_usage_errors(pytester: pytest.Pytester, options: list[str], message: str) -> None:
    """Before any test runs."""
    done = inner(pytester, "def test_nothing(): pass", *options)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([message])


def test_bad_arguments_are_named_as_written(pytester: pytest.Pytester) -> None:
    """A scale does not change what an error message says."""
    source = """
def test_shop(load_test):
    load_test("http://a/", Constant(50), duration=-1)
"""
    done = inner(pytester, source, "--seawall-load-scale", "0.1")
    done.stdout.fnmatch_lines(["E*duration must be between 0.001 and 604,800 seconds, got -1; for example 30 *"])


def test_sessions_without_load_tests_show_nothing(pytester: pytest.Pytester) -> None:
    """No section, no folder content."""
    done = inner(pytester, "def test_nothing(): pass", "--seawall-results", "results")
    done.assert_outcomes(passed=1)
    done.stdout.no_fnmatch_line("*load tests*")
    assert list((pytester.path / "results").iterdir()) == []


@pytest.mark.parametrize(
    "pattern", [Constant(100), Spike(10, 200), Stages([(2, 100), (2, 0)]), Replay(np.arange(0, 4, 0.01))]
)
def test_a_hurried_pattern_has_the_same_rates_sooner(pattern: Pattern) -> None:
    """A tenth of the requests in a tenth of the time, and the same rate at the same part of the run."""
    plan, short = pattern.over(4), Hurried(pattern, 0.1).over(0.4)
    assert short.duration == pytest.approx(0.4)
    assert short.total == pytest.approx(plan.total / 10)
    for part in (0.1, 0.45, 0.9):
        assert short.rate(0.4 * part) == pytest.approx(plan.rate(4 * part))
        assert short.planned(0.4 * part) == pytest.approx(plan.planned(4 * part) / 10, abs=0.11)
    times = np.concatenate(list(arrival_times(short)))
    assert len(times) == short.arrivals
    assert np.all(np.diff(times) >= 0)
    assert times[-1] <= 0.4


def test_file_names_are_stable_and_apart() -> None:
    """Readable, and different where the readable part is not."""
    one, other = file_name("tests/test_a.py::test[x/y]", 1), file_name("tests/test_a.py::test[x_y]", 1)
    assert one != other
    assert re.fullmatch(r"tests_test_a\.py_test_x_y_-[0-9a-f]{8}-1\.json", one)


def test_durations_may_be_timedeltas(load_test: LoadTester, url: str) -> None:
    """As everywhere, and the fixture works in seawall's own tests."""
    result = load_test(f"{url}/", Constant(50), duration=timedelta(seconds=0.2), require_valid=False)
    assert isinstance(result, LoadResult)
    assert result.planned == 10
