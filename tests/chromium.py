"""A real browser: pages are opened, waited for, asked and photographed over its own protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

BINARY = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_LISTENING = re.compile(rb"DevTools listening on (ws://\S+)")


class Page:
    """A tab. Source: the Chrome DevTools Protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket = socket
        self._session = session
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.complaints: list[str] = []
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if said.get("id") in self._answers:
                self._answers.pop(said["id"]).set_result(said)
            elif said.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(str(said["params"]["exceptionDetails"]))
            elif said.get("method") == "Log.entryAdded":
                self.complaints.append(str(said["params"]["entry"].get("text")))

    async def ask(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params, "sessionId": self._session})
        said = await asyncio.wait_for(answer, 30)
        assert "error" not in said, said["error"]
        return said["result"]

    async def open(self, url: str, *, width: int = 1400, height: int = 900, dark: bool = False) -> None:
        """Go to an address, in a window of this size."""
        await self.ask("Runtime.enable")
        await self.ask("Log.enable")
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.ask("Emulation.setEmulatedMedia", features=scheme)
        await self.ask("Page.navigate", url=url)

    async def say(self, script: str) -> Any:
        """What a JavaScript expression is."""
        found = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, script: str) -> Any:
        """Ask an expression again, each time the page has been drawn, until it is true."""
        return await self.say(
            f"new Promise(done => {{ const look = () => {{ let seen; try {{ seen = {script} }} catch {{}} "
            "seen ? done(seen) : setTimeout(look, 30) }; look() })"
        )

    async def photograph(self, path: Path, *, whole: bool = True) -> None:
        """A picture of the page, down to its end."""
        shot = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Read no more."""
        self._reading.cancel()


@asynccontextmanager
async def browser(directory: Path) -> AsyncIterator[Page]:
    """A browser with one empty page, whose files are in a directory."""
    assert BINARY is not None
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
    process = await asyncio.create_subprocess_exec(
        BINARY, *options, f"--user-data-dir={directory}", "--remote-debugging-port=0", "about:blank",
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    draining: asyncio.Future[Any] | None = None
    try:
        async with aiohttp.ClientSession() as client:
            assert process.stderr is not None
            while not (found := _LISTENING.search(await asyncio.wait_for(process.stderr.readline(), 60))):
                pass
            draining = asyncio.ensure_future(process.stderr.read())
            async with client.ws_connect(found.group(1).decode(), max_msg_size=0) as socket:
                page = await _attached(socket)
                try:
                    yield page
                finally:
                    page.close()
    finally:
        process.kill()
        await process.wait()
        if draining is not None:
            await draining


async def _attached(socket: aiohttp.ClientWebSocketResponse) -> Page:
    async def call(method: str, **params: Any) -> Any:
        await socket.send_json({"id": 0, "method": method, "params": params})
        while (said := await socket.receive_json(timeout=30)).get("id") != 0:
            pass
        return said["result"]

    target = await call("Target.createTarget", url="about:blank")
    attached = await call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    return Page(socket, attached["sessionId"])
