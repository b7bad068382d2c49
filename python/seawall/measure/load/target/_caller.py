"""How one scenario is called from an event loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from seawall.measure.load.target._aiohttp import aiohttp_caller
from seawall.measure.load.target._call import Caller
from seawall.measure.load.target._callable import async_caller
from seawall.measure.load.target._feed import Feed
from seawall.measure.load.target._grpc import GrpcCall, grpc_caller
from seawall.measure.load.target._httpx import httpx_caller
from seawall.measure.load.target._request import Request, Sent
from seawall.measure.load.target._scenario import Scenario


def caller_of(scenario: Scenario, *, places: int, timeout: float) -> AbstractAsyncContextManager[Caller]:
    """Open what makes the calls of a scenario, to be entered in the event loop that makes them."""
    target = scenario.target
    if isinstance(target, GrpcCall):
        return grpc_caller(target, timeout=timeout)
    if isinstance(target, Request):
        adapter = httpx_caller if scenario.engine == "httpx" else aiohttp_caller
        return adapter(target, _sent(target, scenario.feed), places=places, timeout=timeout)  # type: ignore[arg-type]
    return nullcontext(async_caller(scenario))


def _sent(request: Request, feed: Feed | None) -> Callable[[int, Any], Sent]:
    if feed is not None:
        return request.filled
    variants = list(request.variants())
    return lambda m, _row: variants[m % len(variants)]
