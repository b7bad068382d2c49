"""The order of a shutdown, by a table of scenarios on a manual clock: tests/golden/shutdown.txt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from seawall.clock import ManualClock
from seawall.errors import ShuttingDown
from seawall.monitor.health import Health
from seawall.monitor.shutdown import Shutdown, ShutdownReport

GOLDEN = Path(__file__).resolve().parents[4] / "tests" / "golden" / "shutdown.txt"


class Scene:
    """A service with closers and work, whose every event is written down with its time."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock(autojump=True)
        self.lines: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.health = Health(clock=self.clock)
        self.shutdown = Shutdown(self.health, clock=self.clock, **options)
        self.shutdown.changed.connect(lambda event: self.log(f"{event.phase.value}, {event.in_flight} in flight"))

    def log(self, text: str) -> None:
        self.lines.append(f"{self.clock.time():6.2f}  {text}")

    def closer(self, name: str, seconds: float = 0.0, error: Exception | None = None, within: float = 5.0) -> None:
        """A closer that takes a while."""

        async def close() -> None:
            self.log(f"closes {name}")
            await self.clock.sleep_async(seconds)
            if error is not None:
                raise error
            self.log(f"closed {name}")

        self.shutdown.on_close(name, close, within=within)

    async def request(self, name: str, seconds: float, unwinds: float = 0.0) -> None:
        """Work that takes a while, and takes another while to be cancelled."""
        try:
            async with self.shutdown.work(name):
                try:
                    await self.clock.sleep_async(seconds)
                    self.log(f"{name} ends")
                except asyncio.CancelledError:
                    await self.clock.sleep_async(unwinds)
                    self.log(f"{name} is cancelled")
                    raise
        except ShuttingDown as refused:
            self.log(str(refused))

    async def after(self, seconds: float, do: Awaitable[Any] | Callable[[], Any]) -> None:
        """Do something later."""
        await self.clock.sleep_async(seconds)
        await do if isinstance(do, Awaitable) else do()

    def start(self, *doings: Coroutine[Any, Any, None]) -> None:
        """Let things happen beside the shutdown."""
        self.tasks = [asyncio.create_task(doing) for doing in doings]

    async def play(self) -> ShutdownReport:
        """Shut down, and let everything else come to its end."""
        await asyncio.sleep(0)  # what is in flight has entered
        self.shutdown.begin("SIGTERM")
        report = await self.shutdown.finish_async()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return report


async def quiet(scene: Scene) -> None:
    """Nothing in flight, all closers work."""
    scene.health.ask()
    for name in ("pool", "cache", "journal"):
        scene.closer(name, 0.5)


async def late_requests(scene: Scene) -> None:
    """Requests that come while load balancers do not know yet are taken, later ones are not."""
    scene.health.ask()
    scene.closer("pool")
    scene.start(
        scene.request("early", 7),
        scene.after(2, scene.request("in the delay", 6)),
        scene.after(6, scene.request("too late", 1)),
    )


async def cut_off(scene: Scene) -> None:
    """What does not end in time is cancelled; one cleans up in time, the other does not."""
    scene.health.ask()
    scene.closer("pool")
    scene.start(scene.request("quick", 3), scene.request("slow", 100, 0.5), scene.request("stubborn", 100, 50))


async def bad_closers(scene: Scene) -> None:
    """One fails, one hangs: the others run all the same, and secrets stay out of the report."""
    scene.health.ask()
    scene.closer("first")
    scene.closer("hangs", 1000, within=2)
    scene.closer("fails", error=OSError("redis://:hunter2@cache refused"))
    scene.closer("last")


async def out_of_time(scene: Scene) -> None:
    """The time for everything ends while closers run: what is left of it bounds them, later ones are skipped."""
    scene.health.ask()
    for name in ("never called", "has what is left", "takes its time"):
        scene.closer(name, 1000, within=5)
    scene.start(scene.request("slow", 100, 50))


async def never_ready(scene: Scene) -> None:
    """Nobody was ever told that it is ready: there is no delay."""
    scene.closer("pool")


async def second_signal_in_delay(scene: Scene) -> None:
    """All waiting ends at once, and closers are skipped."""
    scene.health.ask()
    scene.closer("pool")
    scene.start(scene.request("slow", 100), scene.after(1, scene.shutdown.hurry))


async def second_signal_in_closer(scene: Scene) -> None:
    """The one that runs is left behind."""
    scene.health.ask()
    for name in ("never called", "slow", "quick"):
        scene.closer(name, 0 if name == "quick" else 3)
    scene.start(scene.after(6, scene.shutdown.hurry))


SCENES: list[Callable[[Scene], Awaitable[None]]] = [
    quiet, late_requests, cut_off, bad_closers, out_of_time, never_ready,
    second_signal_in_delay, second_signal_in_closer,
]  # fmt: skip


async def transcript(setting: Callable[[Scene], Awaitable[None]]) -> str:
    """What happens in a scene."""
    scene = Scene()
    await setting(scene)
    report = await scene.play()
    title = f"# {setting.__name__}: {setting.__doc__}"
    return "\n".join([title, *scene.lines, str(report), f"clean: {report.clean}", "", ""])


def transcripts() -> str:
    """Of all scenes."""
    return "".join(asyncio.run(transcript(setting)) for setting in SCENES)


def test_every_scene_goes_as_the_golden_file_tells() -> None:
    """It changes only on purpose: `python -m tests.unit.monitor.shutdown.test_course` rewrites it."""
    assert transcripts() == GOLDEN.read_text()


if __name__ == "__main__":
    GOLDEN.write_text(transcripts())
