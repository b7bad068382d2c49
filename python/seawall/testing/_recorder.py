"""What policies decided, in order."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from types import MemberDescriptorType
from typing import Any

from seawall.errors import ConfigError
from seawall.patterns import Signal
from seawall.testing._recording import Recording


@dataclass(frozen=True, slots=True)
class Record:
    """One decision, or one event.

    Args:
        policy: Name of the policy.
        at: When it ended, in seconds of the policy's clock (of a pipeline: its outermost policy's).
        what: "call", the method that was asked ("try_acquire", ...), or the name of the signal.
        admitted: Whether the callee was called, or may be; None for events.
        attempts: How often the callee was called.
        error: What the caller saw raised.
        answer: What a method answered, or the event.
    """

    policy: str
    at: float
    what: str
    admitted: bool | None = None
    attempts: int = 0
    error: BaseException | None = None
    answer: Any = None


class Recorder:
    """Records what policies decide and signal; `replay(recorder.records)` gives the decisions again.

    Guarantees: keeps the last `most` records and counts those it dropped.

    Thread safety: yes.

    Args:
        most: How many records to keep.

    Example:
        >>> import seawall as sw
        >>> recorder = Recorder()
        >>> limit = recorder.recording(sw.TokenBucket(1, burst=1, clock=sw.ManualClock()))
        >>> [limit.try_acquire(), limit.try_acquire()]
        [True, False]
        >>> [record.admitted for record in recorder.records]
        [True, False]
    """

    def __init__(self, *, most: int = 100_000) -> None:
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ConfigError(f"most must be a whole number, at least 1, got {most!r}")
        self._records: deque[Record] = deque(maxlen=most)
        self._lock = threading.Lock()
        self.dropped = 0

    @property
    def records(self) -> tuple[Record, ...]:
        """All records kept, oldest first."""
        with self._lock:
            return tuple(self._records)

    def recording(self, policy: Any) -> Recording:
        """A stand-in for a policy or a pipeline that records decisions; the signals are recorded, too."""
        self.listen(policy)
        return Recording(policy, self)

    def listen(self, *policies: Any) -> None:
        """Record the signals of policies, those inside a pipeline too."""
        for policy in policies:
            for name in _attributes(policy):
                signal = getattr(policy, name, None)
                if isinstance(signal, Signal):
                    signal.connect(self._receiver(policy, name))
            self.listen(*_inside(policy))

    def add(self, record: Record) -> None:
        """Keep one more record."""
        with self._lock:
            self.dropped += len(self._records) == self._records.maxlen
            self._records.append(record)

    def note(self, policy: Any, what: str, **facts: Any) -> None:
        """Keep one more record, of this moment."""
        clocks = [one.clock for one in (policy, *_inside(policy)) if hasattr(one, "clock")]
        at = clocks[0].now_ns() / 1e9 if clocks else 0.0
        self.add(Record(getattr(policy, "name", type(policy).__name__), at, what, **facts))

    def clear(self) -> None:
        """Forget all records."""
        with self._lock:
            self._records.clear()
            self.dropped = 0

    def _receiver(self, policy: Any, name: str) -> Any:
        return lambda event: self.note(policy, name, answer=event)

    def __repr__(self) -> str:
        return f"<Recorder: {len(self._records)} records>"


def _inside(policy: Any) -> tuple[Any, ...]:
    """The policies of a pipeline."""
    return tuple(getattr(policy, "policies", ()))


def _attributes(policy: Any) -> list[str]:
    # Not properties: looking at one may do something.
    slots = [name for kind in type(policy).__mro__ for name, at in vars(kind).items() if _holds_values(at)]
    return [name for name in (*slots, *getattr(policy, "__dict__", ())) if not name.startswith("_")]


def _holds_values(attribute: Any) -> bool:
    return isinstance(attribute, (MemberDescriptorType, Signal))
