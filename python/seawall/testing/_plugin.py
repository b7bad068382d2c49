"""Fixtures for pytest, found through the entry point `pytest11`. Importing this loads nothing of seawall's rooms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from seawall.clock import ManualClock
    from seawall.memory import Segment
    from seawall.testing._fault_proxy import FaultProxy
    from seawall.testing._load import LoadTester

_LOAD_ROWS = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--seawall-seed=N` repeats a run; the others are about load tests."""
    group = parser.getgroup("seawall")
    group.addoption("--seawall-seed", type=int, help="seed of the fixture seawall_seed")
    group.addoption("--seawall-results", metavar="DIR", help="write the results of load tests there, as JSON")
    group.addoption(
        "--seawall-load-scale",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="run load tests for that share of their durations, for example 0.1",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect what load tests report, in the process that prints the summary."""
    _check_load_options(config)
    config.stash[_LOAD_ROWS] = []
    config.pluginmanager.register(_LoadReports(config.stash[_LOAD_ROWS]), "seawall-load-reports")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The load tests of the session, and their file."""
    rows = config.stash[_LOAD_ROWS]
    if not rows:
        return
    from seawall.testing import _load_summary

    terminalreporter.section("load tests")
    for line in _load_summary.lines(rows):
        terminalreporter.write_line(line)
    if (scale := config.getoption("--seawall-load-scale")) != 1.0:
        terminalreporter.write_line(f"run for {scale:g} of their durations (--seawall-load-scale)")
    if (folder := config.getoption("--seawall-results")) is not None:
        _load_summary.write(Path(folder), rows)
        terminalreporter.write_line(f"results are in {folder}")


def _check_load_options(config: pytest.Config) -> None:
    # Better now than after all tests.
    scale, folder = config.getoption("--seawall-load-scale"), config.getoption("--seawall-results")
    if not 0.0 < scale <= 1.0:
        raise pytest.UsageError(
            f"--seawall-load-scale must be above 0 and at most 1, got {scale:g}; 0.1 is a tenth of the time"
        )
    if folder is None:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(
            f"--seawall-results must be a directory that can be made, got {folder!r}: {error.strerror}"
        ) from error


class _LoadReports:
    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the rows of a test once, when all of it is over."""
        if report.when == "teardown":
            found = [value for name, value in report.user_properties if name == "seawall_load_test"]
            self._rows.extend({"test": report.nodeid, **row} for row in found if isinstance(row, dict))


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that stands until the test moves it."""
    from seawall.clock import ManualClock

    return ManualClock()


@pytest.fixture
def seawall_seed(request: pytest.FixtureRequest) -> int:
    """A seed that is shown when the test fails; repeat with --seawall-seed or SEAWALL_SEED."""
    from seawall.testing._chance import fresh_seed

    given = request.config.getoption("--seawall-seed")
    seed: int = fresh_seed() if given is None else given
    request.node.add_report_section("call", "seawall", f"seawall_seed = {seed}; repeat with --seawall-seed={seed}")
    return seed


@pytest.fixture
def seawall_segment(tmp_path: Path) -> Iterator[Segment]:
    """A shared memory segment of this test's own, removed afterwards."""
    from seawall.memory import Segment

    path = str(tmp_path / "seawall-segment")
    yield Segment(path, size=1024 * 1024)
    Segment.remove(path)


@pytest.fixture
def load_test(request: pytest.FixtureRequest) -> LoadTester:
    """Runs load tests and fails this test where they fail; in an async test `await load_test.run_async(...)`.

    `load_test("http://127.0.0.1:8000/", Constant(200), duration=5, thresholds=["p99<250ms", "errors<1%"])`
    """
    from seawall.testing._load import LoadTester

    folder = request.config.getoption("--seawall-results")
    scale = request.config.getoption("--seawall-load-scale")
    return LoadTester(request.node, scale=scale, folder=None if folder is None else Path(folder))


@pytest.fixture
def fault_proxy(seawall_seed: int) -> Iterator[Callable[..., FaultProxy]]:
    """Opens networks that fail before servers, and closes them when the test ends.

    `proxy = fault_proxy(("127.0.0.1", 6379))`; its options are those of seawall.testing.FaultProxy. The seed is the
    test's own, `seawall_seed`. Each runs in a thread, so that it serves sync and async tests alike.
    """
    from seawall.testing._fault_proxy import FaultProxy

    with ExitStack() as stack:
        yield lambda upstream, **options: stack.enter_context(FaultProxy(upstream, **{"seed": seawall_seed, **options}))
