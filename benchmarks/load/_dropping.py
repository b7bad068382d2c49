"""An open model that drops what finds nobody free, as k6 does at `maxVUs`; made of an async callable of ours."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from seawall.measure import Answer, Constant, Histogram, LoadResult, LoadTest
from seawall.measure.load._loop import fine_loop

_DROPPED = Answer("dropped")


class _Users:
    """So many users, each with one request at a time; an arrival that finds none free goes away for ever."""

    def __init__(self, session: aiohttp.ClientSession, url: str, users: int) -> None:
        self.times = Histogram()
        self._session, self._url, self._free = session, url, users

    async def arrive(self) -> Answer | None:
        if not self._free:
            return _DROPPED
        self._free -= 1
        try:
            began = time.perf_counter()
            async with self._session.get(self._url) as response:
                await response.read()
            self.times.record(time.perf_counter() - began)
        finally:
            self._free += 1
        return None


def dropping(url: str, rate: float, seconds: float, users: int) -> tuple[LoadResult, Histogram]:
    """Requests at a constant rate: the run, with the dropped among its outcomes, and the times of the others."""

    async def whole() -> tuple[LoadResult, Histogram]:
        async with aiohttp.ClientSession() as session:
            crowd = _Users(session, url, users)
            return await LoadTest(crowd.arrive, Constant(rate), duration=seconds).run_async(), crowd.times

    with asyncio.Runner(loop_factory=fine_loop) as runner:
        return runner.run(whole())
