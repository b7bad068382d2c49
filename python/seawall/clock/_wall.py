"""Wall time, for people and for other machines."""

from __future__ import annotations

from typing import Any

from seawall._core import clock as _core


class WallClock(_core.Wall):
    """The machine's Unix time: for stamps that other machines and people read, never for measuring or waiting.

    It may go back, as the machine's clock may be set. Limits, breakers and deadlines do not take it as their `clock=`.

    Thread safety: yes. Cost: a third of `time.time_ns()`; a step of the machine's clock is seen a millisecond later.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "WallClock()"

    def __reduce__(self) -> tuple[Any, ...]:
        return WallClock, ()
