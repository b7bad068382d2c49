"""The server that load generators are measured against, in a process of its own."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._build import build
from benchmarks._case import WrongAnswer
from benchmarks.load._cores import SERVER, pinned


@dataclass(frozen=True)
class Told:
    """What the server says of itself. Times in seconds; `stalled_from` since the first request after `stall`."""

    requests: int
    connections: int
    most_waiting: int
    cpu: float
    stalled_from: float
    stalled_for: float


class Server:
    """A running server: one thread of C++ on a processor of its own, one fixed answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/"

    def reset(self) -> None:
        """Count from nothing again."""
        self._say("reset")

    def stall(self, after: float, length: float) -> None:
        """Stand still once: `after` seconds from the next request on, for `length` seconds."""
        self._say(f"stall {after * 1e3:.0f} {length * 1e3:.0f}")

    def tell(self) -> Told:
        """What it has counted since `reset`."""
        self._say("tell")
        assert self._process.stdout is not None
        return Told(**json.loads(self._process.stdout.readline()))

    def must_have_counted(self, who: str, completed: int, *, cut: int = 0) -> None:
        """Raise WrongAnswer unless it counted as many requests as a generator, or at most `cut` that were cut off."""
        counted = self.tell().requests
        if completed == 0 or not completed <= counted <= completed + cut:
            raise WrongAnswer(f"{who} tells of {completed:,} requests, the server counted {counted:,}")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@contextmanager
def serving(*, answer_after: float = 0.0) -> Iterator[Server]:
    """A server for the time of the block; it answers `answer_after` seconds late."""
    command = [str(_program()), f"{answer_after * 1e3:.0f}"]
    with pinned(SERVER):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield Server(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


@functools.cache
def _program() -> Path:
    return build("load_server", "SEAWALL_LOAD_SERVER")
