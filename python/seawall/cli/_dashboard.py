"""`seawall dashboard`: a segment, live, as a page."""

from __future__ import annotations

import asyncio
import secrets
import signal
from contextlib import suppress

import click
from aiohttp import web

from seawall.cli._top import attach
from seawall.errors import ConfigError
from seawall.observe import Recorder
from seawall.observe.dashboard import Answer, Dashboard, Sections, guard_rows
from seawall.observe.panels import found_panels

_LOCAL = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.argument("segment")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8700, show_default=True, help="0 takes a free one.")
@click.option("--token", envvar="SEAWALL_TOKEN", help="Who brings it may look; by default one is made and printed.")
@click.option("--open-to-all", is_flag=True, help="No token: only where nobody else reaches the port.")
@click.option("--title", help="Of the page; by default the segment's name.")
def dashboard(segment: str, *, host: str, port: int, token: str | None, open_to_all: bool, title: str | None) -> None:
    """A page that shows the limits, breakers and metrics in SEGMENT, live.

    Exit codes: 0 ended, 1 the port is taken, 2 bad usage, 3 there is no such segment.
    """
    if open_to_all and host not in _LOCAL:
        raise click.UsageError(f"--open-to-all needs a --host that only this machine reaches, got {host}")
    watched = attach(segment)
    recorder = Recorder(watched.snapshot)
    secret = None if open_to_all else token or secrets.token_urlsafe(18)
    recording = recorder.recording
    try:
        app = Dashboard(
            recording,
            lambda: found_panels(recording.latest),
            sections=Sections(guards=lambda: guard_rows(recording.latest)),
            title=title or segment,
            token=secret,
        )
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    with recorder, suppress(KeyboardInterrupt):
        asyncio.run(_serve(app, host, port, None if token else secret))


async def _serve(app: Dashboard, host: str, port: int, shown: str | None) -> None:
    site = web.Application()
    site.router.add_route("*", "/{path:.*}", lambda request: _respond(app, request))
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            click.echo(f"{host}:{port} cannot be listened on: {error.strerror}; --port 0 takes a free one", err=True)
            raise SystemExit(1) from error
        # The first address has the port that was taken.
        click.echo(f"http://{host}:{runner.addresses[0][1]}/" + (f"?token={shown}" if shown else ""))
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()
    finally:
        await runner.cleanup()


async def _respond(app: Dashboard, request: web.Request) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    answer: Answer = await app.answers.to(request.method, request.path, request.query_string, headers, "")
    if isinstance(answer.body, bytes):
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    await response.prepare(request)
    async for piece in answer.body:
        await response.write(piece)
    return response
