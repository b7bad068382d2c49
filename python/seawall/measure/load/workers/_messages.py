"""What the processes of a run say to each other by their pipes."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass

from seawall.measure.load.result._parts import Note


@dataclass(frozen=True, slots=True)
class Ready:
    """To the parent: everything is open. `engines` by scenario."""

    engines: list[str]


@dataclass(frozen=True, slots=True)
class Go:
    """To a worker: the start, on the monotonic clock that all processes of a machine share, in seconds."""

    zero: float


@dataclass(frozen=True, slots=True)
class Enough:
    """To a worker: a scenario should end early."""

    scenario: int


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: end in order, now."""


@dataclass(frozen=True, slots=True)
class Done:
    """To the parent: the share is over.

    Args:
        whole: Whether all of it was done.
        due: How many calls were due, by scenario and phase.
        cpu: Seconds of a processor that the busiest thread, or all of Python, used.
        waited: Seconds that a thread was ready and had no processor.
        took: Seconds from the start of the run to the end of the share.
        ended: Why scenarios ended on their own, by scenario; empty where they did not.
        notes: What the worker itself noted.
        stopped: Whether a signal to this worker ended it.
    """

    whole: bool
    due: list[list[int]]
    cpu: float
    waited: float
    took: float
    ended: list[str]
    notes: list[Note]
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """To the parent: an error ended the share.

    Args:
        error: It, pickled; None where it cannot be.
        words: It, with its traceback.
    """

    error: bytes | None
    words: str

    @classmethod
    def of(cls, error: BaseException) -> Failed:
        """From what was raised."""
        words = "".join(traceback.format_exception(error))
        try:
            packed = pickle.dumps(error)
            pickle.loads(packed)
        except Exception:  # noqa: BLE001  # an error of somebody else's class may fail in any way
            return cls(None, words)
        return cls(packed, words)

    def told_by(self, who: str) -> BaseException:
        """The error to be raised here, with the words of there as a note."""
        try:
            error = None if self.error is None else pickle.loads(self.error)
        except Exception:  # noqa: BLE001  # as above
            error = None
        if not isinstance(error, BaseException):
            error = RuntimeError(self.words.strip().rpartition("\n")[2])
        error.add_note(f"raised in {who}:\n{self.words.rstrip()}")
        return error


ToWorker = Go | Enough | Stop
ToParent = Ready | Done | Failed
