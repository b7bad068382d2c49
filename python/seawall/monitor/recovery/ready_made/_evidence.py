"""Actions that change little: collect garbage, write down what everything is doing."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.clock import WallClock
from seawall.errors import ConfigError
from seawall.monitor.recovery._action import Action
from seawall.monitor.suspicion import stacks_text

if TYPE_CHECKING:
    import asyncio


def collect_garbage(*, name: str = "collect garbage", **bounds: Any) -> Action:
    """A full collection of Python's garbage; the process stands still meanwhile. Bounds as of an Action."""
    return Action(name, lambda: f"{gc.collect():,} unreachable objects", **bounds)


def dump_stacks(
    folder: str | os.PathLike[str],
    *,
    loops: Iterable[asyncio.AbstractEventLoop] = (),
    keep: int = 20,
    name: str = "dump stacks",
    wall: Callable[[], float] | None = None,
    **bounds: Any,
) -> Action:
    """Write the stacks of all threads and asyncio tasks to a file of its own, readable by this user only.

    Args:
        folder: Made when needed.
        loops: Whose tasks are told, besides those of asyncio's own loops that run.
        keep: Files of this kind in the folder, 1 to 10,000; the oldest are removed.
        name: Of the action.
        wall: Now, in unix seconds.
        bounds: timeout, settle, cooldown and budget, as of an Action.
    """
    if isinstance(keep, bool) or not isinstance(keep, int) or not 1 <= keep <= 10_000:
        raise ConfigError(f"keep must be 1 to 10,000 files, got {keep!r}; 20 is the default")
    known = tuple(loops)
    now = wall or (lambda: WallClock().now_ns() / 1e9)

    def work() -> str:
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        stamp = datetime.fromtimestamp(now(), UTC).strftime("%Y%m%dT%H%M%S.%f")
        path = place / f"stacks-{stamp}-{os.getpid()}.txt"
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(stacks_text(known))
        for old in sorted(place.glob("stacks-*.txt"))[:-keep]:
            with contextlib.suppress(FileNotFoundError):  # another worker may have been quicker
                old.unlink()
        return str(path)

    return Action(name, work, **bounds)
