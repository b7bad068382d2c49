"""One test for both faces: the same calls on a port's methods, or on their `..._async` twins in a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from seawall.errors import Unavailable


class Faced:
    """A port, a watch or an engine whose methods answer at once, whichever face they are called on.

    Args:
        thing: What is called.
        runner: The loop for the async face; None for the sync one.
    """

    def __init__(self, thing: Any, runner: asyncio.Runner | None) -> None:
        self.thing = thing
        self.runner = runner

    def __getattr__(self, name: str) -> Any:
        if self.runner is None or not hasattr(self.thing, f"{name}_async"):
            return getattr(self.thing, name)
        twin = getattr(self.thing, f"{name}_async")
        runner = self.runner

        def call(*args: Any, **kwargs: Any) -> Any:
            async def made() -> Any:
                return await twin(*args, **kwargs)

            return runner.run(made())

        return call

    def watch(self, *args: Any, **kwargs: Any) -> Faced:
        """A watch with the same face."""
        return Faced(self.thing.watch(*args, **kwargs), self.runner)


def next_event(watch: Any) -> Any:
    """What a watch tells next, however often it is asked."""
    while (event := watch.poll()) is None:
        pass
    return event


def until_reached(call: Callable[..., Any], *args: Any) -> Any:
    """What it returns: whoever has little patience may have to try several times on a busy machine."""
    while True:
        with suppress(Unavailable):
            return call(*args)
