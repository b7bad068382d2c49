"""Read by type checkers, never run: guarding keeps parameters and results, and a wrong call is an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from typing import Any, assert_type

import seawall as sw
from seawall.guard import Guarded, Pipeline, PipelineStats, presets

guard = Pipeline(sw.Retry(3), sw.Timeout(1.0))


@guard
def plain(a: int, *, b: str = "") -> float:
    return a + len(b)


@sw.TokenBucket(1)
async def later(a: int) -> str:
    return str(a)


@guard
def items(n: int) -> Iterator[int]:
    yield n


@guard
def talks(n: int) -> Generator[int, str, bool]:
    return (yield n) == ""


@guard
async def items_later(n: int) -> AsyncIterator[bytes]:
    yield bytes(n)


class Service:
    @guard
    def method(self, a: int) -> str:
        return str(a)

    @sw.Fallback(None)
    async def method_later(self, a: int) -> str:
        return str(a)

    @classmethod
    @guard
    def made(cls, a: int) -> Service:
        return cls()

    @staticmethod
    @guard
    def static(a: int) -> bytes:
        return bytes(a)


def results() -> None:
    assert_type(plain(1, b="x"), float)
    assert_type(items(1), Iterator[int])
    assert_type(talks(1), Generator[int, str, bool])
    assert_type(items_later(1), AsyncIterator[bytes])
    assert_type(Service().method(1), str)
    assert_type(Service.method(Service(), 1), str)
    assert_type(Service.static(1), bytes)
    assert_type(guard.call(plain, 1, b="x"), float)
    assert_type(guard.call(len, "abc"), int)
    assert_type(guard.stats(), PipelineStats)
    assert_type(presets.http(), Pipeline)
    assert_type(sw.presets.llm(requests_per_minute=10), Pipeline)
    assert_type(sw.Timeout(1).call(plain, 1), float)


async def awaited() -> None:
    assert_type(await later(1), str)
    assert_type(await Service().method_later(1), str)
    assert_type(await guard.call_async(later, 1), str)
    assert_type(await sw.Bulkhead(1).call_async(later, 1), str)
    assert_type(await sw.AdaptiveLimit().call_async(later, 1), str)
    with sw.AdaptiveLimit().enter() as permit:
        assert_type(permit.success(), None)
    async for item in items_later(1):
        assert_type(item, bytes)


def wrong() -> None:
    plain("x")  # type: ignore[arg-type]
    plain(1, c=2)  # type: ignore[call-arg]
    plain()  # type: ignore[call-arg]
    later("x")  # type: ignore[arg-type, unused-coroutine]
    Service().method("x")  # type: ignore[arg-type]
    Service().method()  # type: ignore[call-arg]
    # Both checkers bind a class method only when it is a function: it runs, and needs an ignore where it is called.
    Service.made(1)  # type: ignore[call-arg, arg-type]
    guard.call(plain, "x")  # type: ignore[arg-type]
    guard.call(len)  # type: ignore[call-arg]
    guard(7)  # type: ignore[arg-type]
    presets.http(attemps=3)  # type: ignore[call-arg]


def takes(fn: Guarded[[int], Coroutine[Any, Any, str]]) -> None:
    assert_type(fn.stats(), Any)


takes(later)
takes(plain)  # type: ignore[arg-type]
