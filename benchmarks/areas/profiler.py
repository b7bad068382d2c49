"""What profiling costs the process that is profiled: a fixed piece of work with and without, one after the other.

The server is hypercorn on a socket, asked by another process over eight connections that are kept busy all the time, so
its loop never rests; it has ten idle threads beside it. Started and stopped inside what is timed.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks._case import OURS, Case, Missing, Probe, Target, WrongAnswer
from seawall.observe.profiler import Profile, Profiler

REQUESTS = 1_500
CONNECTIONS = 8
IDLE_THREADS = 10
CLIENT = """
import socket, sys, threading
def ask(port):
    with socket.create_connection(("127.0.0.1", port)) as link:
        request, answer = b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n", link.makefile("rb")
        while True:
            link.sendall(request)
            length = 0
            while (line := answer.readline()) not in (b"\\r\\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not answer.read(length):
                return
for _ in range(int(sys.argv[2])):
    threading.Thread(target=ask, args=(int(sys.argv[1]),)).start()
"""


def _idlers(n: int) -> None:
    for number in range(n):
        threading.Thread(target=threading.Event().wait, name=f"idle-{number}", daemon=True).start()


def _compute(n: int) -> int:
    return len(json.dumps([{"id": i, "name": "x" * (i % 7), "price": i * i % 97} for i in range(n)]))


def _work(rounds: int) -> int:
    return sum(_compute(40) for _ in range(rounds))


def _worked(profiler: contextlib.AbstractContextManager[object], rounds: int) -> int:
    with profiler:
        return _work(rounds)


def _holds(rounds: int) -> Callable[[object], bool]:
    right = _compute(40) * rounds
    return lambda answer: answer == right


def _checked(profiler: Profiler, function: str) -> None:
    # A profiler that sees nothing costs nothing.
    found: Profile = profiler.profile()
    sampling = found.sampling
    if sampling is None or sampling.samples < 5 or found.share(function) == 0:
        raise WrongAnswer(f"the profiler saw {found!r} and not {function}")


def _cpu(profiled: bool) -> Probe:
    _idlers(IDLE_THREADS)
    profiler, rounds = Profiler(rate=100), 4_000
    if profiled:
        _worked(profiler, rounds)
        _checked(profiler, "_compute")
    names = {"work": _worked, "profiler": profiler if profiled else contextlib.nullcontext(), "rounds": rounds}
    return Probe("work(profiler, rounds)", names, _holds(rounds))


class _Served:
    """A server that counts what it has answered, and whoever waits for that."""

    def __init__(self) -> None:
        self.count = 0
        self.serving: object = None

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG002
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        body = b"%d" % _compute(10)
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.count += 1

    async def more(self, profiler: contextlib.AbstractContextManager[object], requests: int) -> int:
        begun = self.count
        with profiler:
            while self.count < begun + requests:  # noqa: ASYNC110 - an event would be set in what is timed
                await asyncio.sleep(0.005)
        return self.count - begun


async def _start() -> _Served:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    served, config = _Served(), Config()
    config.bind, config.accesslog, config.errorlog = ["127.0.0.1:0"], None, None
    # Connections are never given up between batches, in which nobody answers.
    config.keep_alive_timeout = config.read_timeout = 86_400
    config.keep_alive_max_requests = 1 << 40
    sockets = config.create_sockets()
    port = sockets.insecure_sockets[0].getsockname()[1]
    config.create_sockets = lambda: sockets  # type: ignore[method-assign]
    serving = asyncio.ensure_future(serve(served.app, config, shutdown_trigger=asyncio.Event().wait))  # type: ignore[arg-type]
    client = subprocess.Popen(  # noqa: ASYNC220 - nothing is served yet
        [sys.executable, "-c", CLIENT, str(port), str(CONNECTIONS)], stderr=subprocess.DEVNULL
    )
    atexit.register(client.kill)
    # The end of the measuring cuts connections in the middle of requests.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    served.serving = serving
    await served.more(contextlib.nullcontext(), 200)
    return served


async def _server(profiled: bool) -> Probe:
    # One server for both cases: two in one loop would share the processor.
    if not _SERVERS:
        _SERVERS.append(await _start())
    served, profiler = _SERVERS[0], Profiler(rate=100)
    if profiled:
        await served.more(profiler, REQUESTS)
        _checked(profiler, "_Served.app")
    names = {"served": served, "profiler": profiler if profiled else contextlib.nullcontext(), "requests": REQUESTS}
    return Probe("await served.more(profiler, requests)", names, lambda n: isinstance(n, int) and n >= REQUESTS)


_SERVERS: list[_Served] = []


def _pair(job: str, make: Callable[[bool], Any]) -> Iterator[Case]:
    bare = Case(job, "python", "not profiled", lambda: make(False))
    yield bare
    yield Case(job, OURS, "profiled 100 times a second", lambda: make(True), Target(1.02), of=bare.name)


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    found: list[Case | Missing] = list(_pair("compute", _cpu))
    if importlib.util.find_spec("hypercorn") is None:
        return [*found, Missing("hypercorn", "not installed: no module named 'hypercorn'")]
    return [*found, *_pair(f"{REQUESTS:,} requests to a loaded ASGI server", _server)]
