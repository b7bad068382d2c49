"""Services that tests shut down: `python -m tests.shutdown_services NAME`; they tell on their standard output."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any

from seawall.monitor.health import Health
from seawall.monitor.shutdown import Shutdown

PORT = int(os.environ.get("PORT", "0"))
DELAY = float(os.environ.get("DELAY", "0"))


def tell(text: str) -> None:
    """A line that is read at once."""
    print(text, flush=True)


def service(**options: Any) -> tuple[Health, Shutdown]:
    """A health, and a shutdown with two closers."""
    health = Health("orders", hold_startup=True)
    shutdown = Shutdown(health, **({"delay": DELAY, "drain": 60, "within": 150} | options))
    shutdown.changed.connect(lambda event: tell(event.phase.value))
    shutdown.on_close("pool", lambda: tell("pool closes"))

    async def close_cache() -> None:
        tell("cache closes")

    shutdown.on_close("cache", close_cache)
    return health, shutdown


class Orders:
    """An ASGI app: /slow is answered when a line comes on standard input, /hang never."""

    def __init__(self, health: Health, starts: bool = True) -> None:
        self.health = health
        self.starts = starts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        tell(f"takes {scope['path']}")
        if scope["path"] == "/slow":
            await asyncio.to_thread(sys.stdin.readline)
        if scope["path"] == "/hang":
            await asyncio.Event().wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def live(self, receive: Any, send: Any) -> None:
        await receive()
        tell("starts")
        try:
            if not self.starts:
                await asyncio.Event().wait()
            self.health.startup_done()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        finally:
            tell("app stops")
        await send({"type": "lifespan.shutdown.complete"})


def run_uvicorn(*, starts: bool = True) -> None:
    """Its own handlers stop it; ours come first."""
    import uvicorn

    health, shutdown = service()
    app = health.asgi(shutdown.asgi(Orders(health, starts)))
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")


async def run_hypercorn() -> None:
    """It takes a trigger."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{PORT}"]
    config.errorlog = None
    health, shutdown = service()
    await serve(health.asgi(shutdown.asgi(Orders(health))), config, shutdown_trigger=shutdown.stopping)
    tell(f"clean {shutdown.report.clean if shutdown.report else None}")


def run_threads() -> None:
    """A worker without a server, whose main thread takes locks all the time, which a handler must not wait for."""
    _, shutdown = service()
    with shutdown:
        tell("ready")
        while not shutdown.wait(0.0001):
            with shutdown.work("job"):
                pass
    report = shutdown.report
    assert report is not None
    assert not any(thread.name == "seawall-signals" for thread in threading.enumerate())
    tell(f"{report.reason} {report.clean}")
    sys.exit(report.exit_code)


async def run_tasks() -> None:
    """The same in a loop that only waits."""
    _, shutdown = service()
    async with shutdown:
        tell("ready")
        async with shutdown.startup():
            await asyncio.Event().wait()
    report = shutdown.report
    assert report is not None
    tell(f"{report.reason} {report.clean}")
    sys.exit(report.exit_code)


def run_stuck() -> None:
    """Work that never ends, and a main thread that shuts down."""
    _, shutdown = service()
    entered = threading.Event()

    def job() -> None:
        with shutdown.work("job"):
            entered.set()
            threading.Event().wait()

    threading.Thread(target=job, daemon=True).start()
    entered.wait()
    with shutdown:
        tell("ready")
        shutdown.wait()
    report = shutdown.report
    assert report is not None
    tell(f"hurried {report.hurried}, cut {len(report.cut)}, {[each.outcome for each in report.closed]}")
    sys.exit(report.exit_code)


if __name__ == "__main__":
    match sys.argv[1]:
        case "uvicorn":
            run_uvicorn()
        case "uvicorn-starting":
            run_uvicorn(starts=False)
        case "hypercorn":
            asyncio.run(run_hypercorn())
        case "threads":
            run_threads()
        case "tasks":
            asyncio.run(run_tasks())
        case "stuck":
            run_stuck()
