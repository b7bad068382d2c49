"""The demo's services as processes that are always stopped."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from seawall.cli.demo._settings import Settings
from seawall.errors import SeawallError

_START_WITHIN = 30.0
_STOP_WITHIN = 3.0

OnEvent = Callable[[str, str], None]


class Service:
    """One service that runs. What it tells goes to `on_event`, whoever that is at the moment."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.on_event: OnEvent = _nobody
        self.url = ""
        self._begun = asyncio.Event()

    async def started(self) -> None:
        """Wait for its port, in the first line.

        Raises:
            SeawallError: It did not start.
        """
        assert self.process.stdout is not None
        with suppress(TimeoutError, ValueError, KeyError):
            line = await asyncio.wait_for(self.process.stdout.readline(), _START_WITHIN)
            self.url = f"http://127.0.0.1:{json.loads(line)['port']}"
        if not self.url:
            raise SeawallError("the demo's service did not start; its own words are above")

    async def begin(self, told: dict[str, Any]) -> None:
        """Tell it to begin, and wait until it has."""
        assert self.process.stdin is not None
        # One that has ended meanwhile shows as a service that cannot be reached.
        with suppress(OSError, TimeoutError):
            self.process.stdin.write(json.dumps(told).encode() + b"\n")
            await asyncio.wait_for(self._begun.wait(), _START_WITHIN)

    async def listen(self) -> None:
        """Hand on what it tells, until its output ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            with suppress(ValueError):
                said = json.loads(line)
                if "event" in said:
                    self.on_event(said["event"], said["text"])
                else:
                    self._begun.set()
        self._begun.set()


class Shop:
    """The shop and its payments, freshly started."""

    def __init__(self, shop: Service, payments: Service) -> None:
        self.shop, self.payments = shop, payments

    async def begin(self, settings: Settings, on_event: OnEvent) -> None:
        """Let a run of so many seconds begin now."""
        facts = settings.facts()
        # payments last: its moments of trouble are counted from now on.
        for service in (self.shop, self.payments):
            service.on_event = on_event
            await service.begin({"settings": facts, "payments": self.payments.url})


@asynccontextmanager
async def shops(number: int) -> AsyncIterator[list[Shop]]:
    """Run so many shops, each with a payments of its own, for as long as the block.

    Raises:
        SeawallError: One did not start.
    """
    services: list[Service] = []
    listeners: list[asyncio.Task[None]] = []
    try:
        for name in ("_shop", "_payments") * number:
            services.append(Service(await _start(name)))
        for service in services:
            await service.started()
            listeners.append(asyncio.create_task(service.listen()))
        yield [Shop(*pair) for pair in zip(services[::2], services[1::2], strict=True)]
    finally:
        for service in services:
            service.on_event = _nobody
        await asyncio.shield(_stop(services, listeners))


async def _start(name: str) -> asyncio.subprocess.Process:
    # A session of its own: Ctrl-C in the terminal goes to the demo, which then stops the services in order.
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"seawall.cli.demo.{name}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def _stop(services: list[Service], listeners: list[asyncio.Task[None]]) -> None:
    for service in services:
        with suppress(ProcessLookupError):
            service.process.terminate()
    for service in services:
        try:
            await asyncio.wait_for(service.process.wait(), _STOP_WITHIN)
        except TimeoutError:
            service.process.kill()
            await service.process.wait()
    for task in listeners:
        task.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)


def _nobody(_name: str, _text: str) -> None:
    """Between runs nobody listens."""
