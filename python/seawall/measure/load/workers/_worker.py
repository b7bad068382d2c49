"""What a worker process does."""

from __future__ import annotations

import asyncio
import math
import signal
from multiprocessing.connection import Connection

from seawall.measure.load._loop import fine_loop
from seawall.measure.load._record import Record
from seawall.measure.load._run import Run
from seawall.measure.load._settings import Settings
from seawall.measure.load.workers._link import Link
from seawall.measure.load.workers._memory import SharedMemory
from seawall.measure.load.workers._messages import Done, Enough, Failed, Go, Ready, ToWorker

# Blocked while a worker comes up: what the terminal or a supervisor sends to all processes is the parent's to hear.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _NeverBegan(Exception):
    """The run was stopped before its start."""


def work(pipe: Connection, parent: int, memory: SharedMemory, worker: int) -> None:
    """Make one worker's share of a run and tell the parent what became of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = Link(pipe, parent)
    try:
        settings = memory.settings()
        records = memory.records(settings)
        memory.close_file()
        with asyncio.Runner(loop_factory=fine_loop) as runner:
            done = runner.run(_share(settings, records, worker, link))
    except BaseException as error:  # noqa: BLE001  # the parent raises it
        link.tell(Failed.of(error))
    else:
        link.tell(done)


async def _share(settings: Settings, records: list[Record], worker: int, link: Link) -> Done:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    start: asyncio.Future[float] = loop.create_future()
    ended: set[int] = set()
    signalled = asyncio.Event()

    def hear(message: ToWorker | None) -> None:
        match message:
            case Go(zero) if not start.done():
                start.set_result(zero)
            case Enough(scenario):
                ended.add(scenario)
            case _:
                end()

    def terminate() -> None:
        signalled.set()
        end()

    def end() -> None:
        stop.set()
        if not start.done():
            start.set_exception(_NeverBegan)

    async def ready() -> float:
        link.tell(Ready([driver.engine for driver in run.drivers]))
        return await start

    link.attach(hear)
    loop.add_signal_handler(signal.SIGTERM, terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    run = Run(settings, records, zero=math.inf, worker=worker, workers=settings.workers, enough=lambda i: i in ended)
    try:
        whole = await run.go(stop, ready)
    except _NeverBegan:
        return Done(False, [[0] * len(settings.course.phases) for _ in records], 0.0, 0.0, 0.0, [""] * len(records), [])
    # In the closed model what was due is what was sent, by all together, and in the memory of all.
    due = [] if settings.closed is not None else run.due(settings.course.end if whole else run.took)
    return Done(whole, due, run.cpu, run.waited, run.took, run.ended, run.notes, signalled.is_set())
