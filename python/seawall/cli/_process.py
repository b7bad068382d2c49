"""The demo's service as a process that is always stopped."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from seawall.errors import SeawallError

_START_WITHIN = 15.0
_STOP_WITHIN = 3.0


@contextmanager
def running(rate: float, burst: int) -> Iterator[str]:
    """Run the service in its own process for as long as the block; hand out its URL.

    Raises:
        SeawallError: It did not start.
    """
    command = [sys.executable, "-m", "seawall.cli._service", str(rate), str(burst)]
    # A session of its own: Ctrl-C in the terminal goes to the demo, which then stops the service in order.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield f"http://127.0.0.1:{_port(process)}/"
    finally:
        _stop(process)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_WITHIN)
    line = process.stdout.readline() if ready else ""
    if not line.strip().isdecimal():
        raise SeawallError("the demo's service did not start; its own words are above")
    return int(line)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_WITHIN)
    if process.poll() is None:
        process.kill()
        process.wait(_STOP_WITHIN)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
