"""Real processes that are told to end, under real servers."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.ports import free_ports

from seawall.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
CLOCK = SystemClock()


class Service:
    """A process that tells what happens in it."""

    def __init__(self, name: str, delay: float = 0.0) -> None:
        (self.port,) = free_ports(1)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.shutdown_services", name],
            cwd=ROOT,
            env={**os.environ, "PORT": str(self.port), "DELAY": str(delay)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told: list[str] = []

    def until(self, text: str) -> None:
        """Read until it has told something."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(line.strip())
            if self.told[-1] == text:
                return
        pytest.fail(f"it never told {text!r}, but {self.told}")

    def end(self) -> int:
        """Read the rest, and wait for its exit code."""
        assert self.process.stdout is not None
        self.told += [line.strip() for line in self.process.stdout]
        return self.process.wait(60)

    def get(self, path: str) -> tuple[int, str | None]:
        """Status and Connection header of an answer, in a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.getheader("connection")

    def serves(self) -> None:
        """Wait until it is ready."""
        until = CLOCK.now_ns() + 60_000_000_000
        while CLOCK.now_ns() < until:
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            CLOCK.sleep(0.02)
        pytest.fail("it was never ready")


@contextmanager
def running(name: str, delay: float = 0.0) -> Iterator[Service]:
    """A service, killed in the end if it has not ended."""
    service = Service(name, delay)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait(60)
        for pipe in (service.process.stdin, service.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_nobody_notices_that_a_server_is_shut_down(server: str) -> None:
    """Not ready, but taking requests; then none, and the one in flight is answered; then closers."""
    with running(server, delay=4) as service:
        service.serves()
        slow: list[tuple[int, str | None]] = []
        asker = threading.Thread(target=lambda: slow.append(service.get("/slow")))
        asker.start()
        service.until("takes /slow")
        service.process.send_signal(signal.SIGTERM)
        service.until("draining")
        assert service.get("/readyz")[0] == 503
        assert service.get("/livez")[0] == 200
        assert service.get("/orders") == (200, "close")
        service.until("stopping")
        assert service.process.stdin is not None
        service.process.stdin.write("\n")
        service.process.stdin.flush()
        asker.join(60)
        code = service.end()
    assert slow[0][0] == 200
    order = [line for line in service.told if line.endswith(("closes", "stops", "closing", "done")) or "clean" in line]
    expected = ["closing", "app stops", "cache closes", "pool closes", "done"]
    # After an orderly end uvicorn raises the signal again, so that whoever waits for it knows why it ended.
    assert (order, code) == ((expected, -signal.SIGTERM) if server == "uvicorn" else ([*expected, "clean True"], 0))


def test_a_signal_while_the_service_starts_ends_the_start() -> None:
    """It cleans up, what was opened is closed, and there is no delay."""
    with running("uvicorn-starting", delay=60) as service:
        service.until("starts")
        service.process.send_signal(signal.SIGTERM)
        assert service.end() == 3  # uvicorn's code for a start that has failed
    assert service.told[-5:] == ["closing", "app stops", "cache closes", "pool closes", "done"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_all_waiting_under_a_server(number: signal.Signals) -> None:
    """The request that hangs is cancelled, closers are skipped."""
    with running("uvicorn", delay=60) as service:
        service.serves()
        codes: list[int] = []
        asker = threading.Thread(target=lambda: codes.append(service.get("/hang")[0]))
        asker.start()
        service.until("takes /hang")
        service.process.send_signal(signal.SIGTERM)
        service.until("draining")
        service.process.send_signal(number)
        service.end()
        asker.join(60)
    assert codes == [503]
    assert "cache closes" not in service.told


@pytest.mark.parametrize("name", ["threads", "tasks"])
def test_a_worker_without_a_server_ends_in_order(name: str) -> None:
    """Whatever its main thread is doing when the signal comes."""
    with running(name) as service:
        service.until("ready")
        service.process.send_signal(signal.SIGTERM)
        code = service.end()
    assert service.told[-5:] == ["closing", "cache closes", "pool closes", "done", "SIGTERM True"]
    assert code == 0


def test_a_signal_that_finds_the_process_frozen_is_heard() -> None:
    """Whichever thread it is given to when that goes on."""
    with running("stuck") as service:
        service.until("ready")
        for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGSTOP, signal.SIGCONT, signal.SIGTERM):
            service.process.send_signal(number)
        service.until("stopping")
        service.process.send_signal(signal.SIGTERM)
        assert service.end() == 1


def test_many_signals_at_once_deadlock_nothing() -> None:
    """A handler comes at any place, also where a lock is held."""
    with running("threads") as service:
        service.until("ready")
        service.process.send_signal(signal.SIGINT)
        service.process.send_signal(signal.SIGTERM)
        service.end()
    assert service.told[-1].startswith("SIG")


def test_a_second_signal_ends_all_waiting_of_a_worker() -> None:
    """Work that never ends is reported, closers are skipped."""
    with running("stuck") as service:
        service.until("ready")
        service.process.send_signal(signal.SIGTERM)
        service.until("stopping")
        service.process.send_signal(signal.SIGTERM)
        code = service.end()
    assert (service.told[-1], code) == ("hurried True, cut 1, ['skipped', 'skipped']", 1)
