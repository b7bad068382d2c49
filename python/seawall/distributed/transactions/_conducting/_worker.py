"""Recovery again and again: several transactions at once, a look every so often."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seawall.clock import to_ns
from seawall.distributed.transactions._conducting._runners import run, run_async
from seawall.engines.operation import driver_of
from seawall.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from seawall.distributed.transactions._conducting._conductor import Conductor

    AnyConductor = Conductor[Any, Any, Any, Any]


def work(conductor: AnyConductor, stop: threading.Event, poll: float | timedelta, concurrency: int) -> None:
    """Recover until `stop` is set."""
    seconds, most = _checked(conductor.kind, poll, concurrency)
    running: dict[Future[Any], str] = {}
    with ThreadPoolExecutor(most, thread_name_prefix="seawall-recovery") as pool:
        while not stop.is_set():
            _reap(conductor, {future: running.pop(future) for future in list(running) if future.done()})
            for id in _look(conductor, most - len(running), frozenset(running.values())):
                running[pool.submit(run, conductor.log, conductor._recover(id))] = id
            if len(running) == most:
                wait(running, timeout=seconds, return_when=FIRST_COMPLETED)
            else:
                stop.wait(seconds)
    _reap(conductor, running)


async def work_async(conductor: AnyConductor, poll: float | timedelta, concurrency: int) -> None:
    """Recover until cancelled."""
    seconds, most = _checked(conductor.kind, poll, concurrency)
    clock = driver_of(conductor.log).clock
    running: dict[asyncio.Task[Any], str] = {}
    try:
        while True:
            _reap(conductor, {task: running.pop(task) for task in list(running) if task.done()})
            for id in await _look_async(conductor, most - len(running), frozenset(running.values())):
                running[asyncio.create_task(run_async(conductor.log, conductor._recover(id)))] = id
            if len(running) == most:
                await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            else:
                await clock.sleep_async(seconds)
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)


def _checked(kind: str, poll: float | timedelta, concurrency: int) -> tuple[float, int]:
    seconds = to_ns(poll, "poll", least_ns=10_000_000) / 1e9
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= 1_000:
        raise ConfigError(f"concurrency must be between 1 and 1,000 {kind}s, got {concurrency!r}; 4 is the default")
    return seconds, concurrency


def _look(conductor: AnyConductor, most: int, busy: frozenset[str]) -> list[str]:
    try:
        return run(conductor.log, conductor._waiting(most, busy)) if most else []
    except EngineError as error:
        conductor._trouble("", error)
        return []


async def _look_async(conductor: AnyConductor, most: int, busy: frozenset[str]) -> list[str]:
    try:
        return await run_async(conductor.log, conductor._waiting(most, busy)) if most else []
    except EngineError as error:
        conductor._trouble("", error)
        return []


def _reap(conductor: AnyConductor, ended: Mapping[Future[Any], str] | Mapping[asyncio.Task[Any], str]) -> None:
    for future, id in ended.items():
        if not future.cancelled() and (error := future.exception()) is not None:
            conductor._trouble(id, error)
