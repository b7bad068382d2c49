"""Load tests whose processes are killed, interrupted or stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest
from tests import load_targets as targets

from seawall.measure.load import Constant, LoadResult, LoadTest

PATIENCE = 60


class Pipe:
    """A named pipe into which workers write their process numbers."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        # With an end of its own for writing, it has no end before that is closed.
        self.reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.writing = os.open(path, os.O_WRONLY)
        os.set_blocking(self.reading, True)

    def read_pids(self, number: int) -> set[int]:
        """So many different ones."""
        pids: set[int] = set()
        with open(self.reading, closefd=False) as lines:
            while len(pids) < number:
                pids.add(int(lines.readline()))
        return pids

    def wait_for_the_end(self) -> None:
        """Return when no other process has the pipe open."""
        os.close(self.writing)
        while os.read(self.reading, 65536):
            pass
        os.close(self.reading)


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    """A named pipe of this test."""
    return Pipe(tmp_path / "pipe")


def loses_nothing(result: LoadResult) -> bool:
    """What must hold though a worker may have died between two counts of a call."""
    return (
        result.planned == result.sent + result.dropped
        and result.dropped >= 0
        and result.completed <= result.sent
        and sum(result.outcomes.values()) <= result.sent
    )


async def run_and_kill(pipe: Pipe, test: LoadTest, number: int) -> tuple[LoadResult, set[int]]:
    """Run in this loop; as soon as two workers have called, kill some of them."""
    work = asyncio.create_task(test.run_async())
    pids = await asyncio.to_thread(pipe.read_pids, 2)
    for pid in sorted(pids)[:number]:
        os.kill(pid, signal.SIGKILL)
    return await work, pids


def test_a_killed_worker_is_lost_and_the_others_go_on(tmp_path: Path) -> None:
    """Again and again: its unsent share is dropped, and the verdict tells."""
    for i in range(4):
        pipe = Pipe(tmp_path / f"pipe{i}")
        test = LoadTest(partial(targets.tell, pipe.path), Constant(300), duration=1.0, workers=2)
        result, _ = asyncio.run(run_and_kill(pipe, test, 1))
        pipe.wait_for_the_end()
        assert result.generator is not None
        assert (result.generator.processes, result.generator.lost) == (2, 1)
        assert result.planned == test.plan.arrivals == 300
        assert loses_nothing(result)
        assert result.sent >= 150
        assert (result.interrupted, result.verdict.valid) == (False, False)
        assert result.verdict.reasons[-1] == "1 of its 2 worker processes died"
        assert multiprocessing.active_children() == []


def test_a_run_whose_workers_all_died_ends(pipe: Pipe) -> None:
    """With what was measured until then."""
    test = LoadTest(partial(targets.tell, pipe.path), Constant(300), duration=60, workers=2)
    result, _ = asyncio.run(run_and_kill(pipe, test, 2))
    assert result.generator is not None
    assert (result.interrupted, result.generator.lost) == (True, 2)
    assert result.planned < 300 * 60
    assert loses_nothing(result)


def test_what_a_killed_worker_had_started_is_sent_and_not_completed(pipe: Pipe) -> None:
    """Calls that never end, of a worker that is killed and of one that is stopped."""

    async def main() -> LoadResult:
        stop = asyncio.Event()
        test = LoadTest(partial(targets.tell_and_stay, pipe.path), Constant(100), duration=60, workers=2)
        work = asyncio.create_task(test.run_async(stop=stop))
        first, _second = sorted(await asyncio.to_thread(pipe.read_pids, 2))
        os.kill(first, signal.SIGKILL)
        stop.set()
        return await work

    result = asyncio.run(main())
    assert result.completed == 0
    assert result.sent >= 2
    assert loses_nothing(result)


def test_a_worker_that_is_stopped_by_a_signal_ends_the_run(pipe: Pipe) -> None:
    """In order: nobody is lost, and the run counts as interrupted."""

    async def main() -> LoadResult:
        test = LoadTest(partial(targets.tell, pipe.path), Constant(100), duration=60, workers=2)
        work = asyncio.create_task(test.run_async())
        os.kill((await asyncio.to_thread(pipe.read_pids, 2)).pop(), signal.SIGTERM)
        return await work

    result = asyncio.run(main())
    assert result.generator is not None
    assert (result.interrupted, result.generator.lost) == (True, 0)
    assert loses_nothing(result)


def test_a_thread_that_never_returns_does_not_hold_up_the_end(pipe: Pipe) -> None:
    """Its call is sent and not completed."""

    async def main() -> LoadResult:
        stop = asyncio.Event()
        test = LoadTest(partial(targets.block, pipe.path), Constant(100), duration=60, workers=2, max_concurrency=2)
        work = asyncio.create_task(test.run_async(stop=stop))
        await asyncio.to_thread(pipe.read_pids, 2)
        stop.set()
        return await work

    result = asyncio.run(main())
    pipe.wait_for_the_end()
    assert (result.sent, result.completed, result.interrupted) == (2, 0, True)
    assert loses_nothing(result)


# --- with a parent of its own -----------------------------------------------------------------------------------------

SCRIPT = """
import sys
from functools import partial
from tests import load_targets as targets
from seawall.measure.load import Constant, LoadTest

async def call(path):
    await targets.tell(path)

{guard}
    test = LoadTest(partial(call, sys.argv[1]), Constant(100), duration={duration}, workers=2)
    result = test.run()
    print(result.planned, result.completed, result.outcomes)
"""
GUARDED, UNGUARDED = 'if __name__ == "__main__":', "if True:"
ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def script(directory: Path, pipe: Pipe, guard: str, duration: float) -> Iterator[subprocess.Popen[str]]:
    """A script of somebody's own, in a session of its own."""
    path = directory / "script.py"
    path.write_text(SCRIPT.format(guard=guard, duration=duration))
    process = subprocess.Popen(
        [sys.executable, path, pipe.path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_a_script_can_have_workers_that_call_its_own_functions(tmp_path: Path, pipe: Pipe) -> None:
    """Below the usual guard."""
    with script(tmp_path, pipe, GUARDED, 0.3) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "30 30 {'ok': 30}\n", "")


def test_a_script_without_a_guard_is_told_so(tmp_path: Path, pipe: Pipe) -> None:
    """Once, by the parent."""
    with script(tmp_path, pipe, UNGUARDED, 0.3) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err.count("Traceback")) == (1, "", 1)
    assert err.endswith(
        "ConfigError: workers start this script once more, and it started its load test again; put what it does below "
        '`if __name__ == "__main__":`\n'
    )


def test_a_function_that_was_typed_in_is_refused() -> None:
    """No other process can find it."""
    words = (
        "from seawall.measure.load import Constant, LoadTest\n"
        "async def call(): pass\n"
        "LoadTest(call, Constant(1), duration=1, workers=2).run()\n"
    )
    found = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert found.returncode == 1
    assert found.stderr.endswith(
        "ConfigError: target must be something that other processes can import where workers is 2, got call() typed "
        "into this one; put it into a module\n"
    )


def test_the_death_of_the_parent_ends_its_workers(tmp_path: Path, pipe: Pipe) -> None:
    """Killed without a word, in the midst of a long run."""
    with script(tmp_path, pipe, GUARDED, 600) as process:
        pipe.read_pids(2)
        process.kill()
        process.wait(PATIENCE)
        pipe.wait_for_the_end()


class Hello(BaseHTTPRequestHandler):
    """Answers every request, and says when there have been ten."""

    protocol_version = "HTTP/1.1"
    seen: list[int]
    enough: threading.Event

    def do_GET(self) -> None:
        """Answer."""
        self.seen.append(1)
        if len(self.seen) >= 10:
            self.enough.set()
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[Hello]]]:
    """A real server in a thread of this process."""
    handler = type("Fresh", (Hello,), {"seen": [], "enough": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.daemon_threads = True
        served.block_on_close = False
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}/", handler
        served.shutdown()
        thread.join()


@pytest.mark.parametrize("engine", ["auto", "aiohttp"])
def test_a_server_gets_each_request_once(server: tuple[str, type[Hello]], engine: Literal["auto", "aiohttp"]) -> None:
    """Whatever engine the workers send with."""
    url, handler = server
    result = LoadTest(url, Constant(100), duration=0.5, workers=3, engine=engine).run()
    assert (result.planned, result.sent, result.completed, len(handler.seen)) == (50, 50, 50, 50)
    assert result.outcomes == {"2xx": 50}
    assert result.scenarios[0].engine.startswith("HTTP/1.1")


@pytest.mark.parametrize(
    ("what", "whom"), [(signal.SIGINT, "group"), (signal.SIGTERM, "group"), (signal.SIGTERM, "parent")]
)
def test_signals_end_the_command_with_a_complete_report(
    server: tuple[str, type[Hello]], what: signal.Signals, whom: str
) -> None:
    """Ctrl-C of a terminal reaches all processes of the group; workers end when the parent tells them."""
    url, handler = server
    words = ["load", url, "--workers", "2", "--rate", "100", "--duration", "600s", "--json", "-"]
    with subprocess.Popen(
        [sys.executable, "-m", "seawall.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert handler.enough.wait(PATIENCE)
            (os.killpg if whom == "group" else os.kill)(process.pid, what)
            # The output ends when the last process that has it is gone.
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    found = json.loads(out)
    assert process.returncode == 130, err
    assert "interrupted after" in err
    assert "Traceback" not in err
    assert found["planned"] == found["sent"] + found["dropped"]
    assert 10 <= found["sent"] <= found["planned"] < 60000
    assert sum(found["outcomes"].values()) == found["completed"] <= found["sent"]
    assert (found["generator"]["processes"], found["generator"]["lost"]) == (2, 0)
