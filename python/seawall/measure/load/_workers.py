"""One run of a load test in several processes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from seawall.measure.load._events import Watching
from seawall.measure.load._gather import result_of
from seawall.measure.load._progress import OnProgress, Watched, reporting
from seawall.measure.load._settings import Settings
from seawall.measure.load.result._result import LoadResult
from seawall.measure.load.workers._crew import Crew
from seawall.measure.load.workers._member import refuse_second_start
from seawall.measure.load.workers._memory import SharedMemory
from seawall.measure.load.workers._sendable import packed


async def run_in_workers(
    settings: Settings, watching: Watching, on_progress: OnProgress | None, stop: asyncio.Event
) -> LoadResult:
    """Make a run in `settings.workers` processes, and leave none of them behind, whatever happens.

    Nothing is merged at the end: all of them count into the same memory, from which progress and result are read.

    Raises:
        ConfigError: Something in the settings cannot go to other processes.
        SeawallError: A worker died before the start.
        Exception: What a worker raised.
    """
    refuse_second_start()
    memory = SharedMemory.of(settings, packed(settings))
    try:
        crew = Crew(settings, memory)
        try:
            return await _run(crew, settings, watching, on_progress, stop)
        finally:
            await crew.dismiss()
    finally:
        memory.close_file()


async def _run(
    crew: Crew, settings: Settings, watching: Watching, on_progress: OnProgress | None, stop: asyncio.Event
) -> LoadResult:
    begun = await crew.start(stop)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    watched = Watched(crew.records, lambda: crew.elapsed, lambda: crew.under_way)
    with watching.run(crew):
        async with reporting(on_progress, watched, every=0.25):
            if begun:
                await crew.work(stop)
    return result_of(settings, crew.records, crew.ending(began))
