"""What makes the calls of one scenario."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seawall.measure.load._closed import Closed
from seawall.measure.load._record import Record
from seawall.measure.load.drive._stream import Stream

FEED_ENDED = "its feed ended"


@dataclass(slots=True)
class Bounds:
    """How much may be under way, and when a run is over.

    Units: seconds; `zero` on the clock of the event loop, the others since then. It may be set until the driver runs.

    Args:
        places: Calls under way at once.
        timeout: The longest that one may take.
        zero: The start of the run.
        end: When the last one is due at the latest.
        until: When nothing is started any more.
        closed: The closed model in place of the stream.
        enough: Asked now and then whether the run should end early.
    """

    places: int
    timeout: float
    zero: float
    end: float
    until: float
    closed: Closed | None
    enough: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Work:
    """What a driver does.

    Args:
        stream: What is due when.
        record: Where it is counted.
        bounds: How much and how long.
        worker: Makes the state of a place; None where there is none.
        rows: The row of a call by its number; None where there are none.
    """

    stream: Stream
    record: Record
    bounds: Bounds
    worker: Callable[[], Any] | None = None
    rows: Callable[[int], Any] | None = None


class Driver(ABC):
    """Starts what is due and never waits for an answer to do so; in the closed model, only then.

    A call that was held back because all places were taken is late, and so is whatever was due while it was.
    """

    engine: str
    # Why it ended for a reason of its own before its plan was done; empty where it did not.
    ended_early: str = ""
    # What went wrong when its workers were left; empty where nothing did.
    trouble: str = ""
    # When its last call had ended, on the clock of the run; None where that is when `run` returns.
    over: float | None = None

    @property
    @abstractmethod
    def under_way(self) -> int:
        """Calls started and not ended."""

    @abstractmethod
    async def run(self, stop: asyncio.Event) -> bool:
        """Make all calls and wait for their ends; whether the plan was done.

        It is not where `stop` was set, where there was enough, or where the target is plainly not there: what is under
        way is then cut off, and counts as sent but not completed.
        """

    @property
    def cpu(self) -> float:
        """Seconds of a processor that a thread of its own used, of the busiest one; 0 where it has none."""
        return 0.0

    @property
    def waited(self) -> float:
        """Seconds that such a thread was ready and had no processor."""
        return 0.0
