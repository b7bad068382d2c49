"""What all detectors have in common: a pure judgement, and a state that can be saved."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar, runtime_checkable

from seawall.errors import ConfigError
from seawall.monitor.anomaly._verdict import MISSING, Verdict
from seawall.patterns import Options

S = TypeVar("S", bound=tuple[Any, ...])
Side = Literal["both", "above", "below"]
_LARGEST = 1e150


@runtime_checkable
class Detector(Protocol):
    """What judges a series of values, one at a time, and learns from them."""

    def update(self, value: float | None, at: float) -> Verdict:
        """Judge the next value, then learn from it.

        Args:
            value: The value; None or nan where there is none, which is judged by nobody and changes nothing.
            at: When, in unix seconds; only seasonal detectors look at it.
        """

    def reset(self) -> None:
        """Forget everything that was learned."""


class Stateful(ABC, Generic[S]):
    """A detector of our own: `judge` is a pure function of a state, which is plain data.

    Thread safety: yes.
    """

    kind: ClassVar[str]
    State: ClassVar[type[tuple[Any, ...]]]

    def __init__(self, options: Options) -> None:
        self.options = options
        self._state: S = self.fresh()
        self._lock = threading.Lock()

    @abstractmethod
    def fresh(self) -> S:
        """The state of a detector that has seen nothing."""

    @abstractmethod
    def judge(self, state: S, value: float, at: float) -> tuple[S, Verdict]:
        """The next state and the verdict. Pure: same arguments, same answer, nothing changed."""

    def update(self, value: float | None, at: float) -> Verdict:
        """Judge the next value, then learn from it; None and nan are judged by nobody and change nothing."""
        if value is None or math.isnan(value):
            return MISSING
        with self._lock:
            self._state, verdict = self.judge(self._state, max(-_LARGEST, min(_LARGEST, float(value))), at)
        return verdict

    def reset(self) -> None:
        """Forget everything that was learned."""
        with self._lock:
            self._state = self.fresh()

    def to_dict(self) -> dict[str, Any]:
        """Kind, options and state as plain data for JSON; `detector_from` reads it."""
        with self._lock:
            state = self._state
        return {"kind": self.kind, "options": self.options.as_dict(), "state": list(state)}

    def restore(self, data: dict[str, Any]) -> Self:
        """Take up the state of a detector of the same kind and options; this detector.

        Raises:
            ConfigError: it is of another kind or has other options; nothing is changed.
        """
        if data.get("kind") != self.kind or data.get("options") != self.options.as_dict():
            raise ConfigError(
                f"the state of a detector of kind {self.kind} with {self.options!r} is asked for, got one of kind "
                f"{data.get('kind')} with {data.get('options')!r}; build it with detector_from(data)"
            )
        state = self.State(*(_tuples(part) for part in data["state"]))
        with self._lock:
            self._state = state  # type: ignore[assignment]  # State is what S is bound to
        return self

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.options.as_dict().items())
        return f"{type(self).__name__}({given})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.options.as_dict(), self._state)


def out_of(ratio: float, threshold: float, side: Side) -> float:
    """The score of a deviation in spreads: its share of the threshold, on the sides that matter."""
    if side == "above":
        ratio = max(0.0, ratio)
    elif side == "below":
        ratio = max(0.0, -ratio)
    return abs(ratio) / threshold


def _tuples(data: Any) -> Any:
    """JSON knows no tuples."""
    return tuple(_tuples(part) for part in data) if isinstance(data, list) else data


def _rebuild(cls: type[Stateful[Any]], options: dict[str, Any], state: tuple[Any, ...]) -> Stateful[Any]:
    made: Stateful[Any] = cls(**options)
    made._state = state
    return made
