"""Models of the library river as detectors."""

from __future__ import annotations

import copy
import inspect
import math
import threading
from typing import Any

from seawall.errors import ConfigError
from seawall.monitor.anomaly._verdict import MISSING, WARMING, Verdict
from seawall.patterns import Options, option


class RiverOptions(Options):
    """What a `River` is asked for."""

    threshold: float = option(default=0.95, above=0, help="scores of the model above it are anomalous")
    warm_up: int = option(default=60, least=0, most=1_000_000, unit="values", help="learned from before any is judged")


class River:
    """A model of river.anomaly or river.drift as a detector.

    An anomaly model scores each value, then learns from it; it sees the feature "value", and where it is supervised
    (`GaussianScorer`) that value also as what it must predict. A drift detector tells a change once.

    Thread safety: yes.
    Saving: river's models are no plain data. The detector pickles; load pickles only from where nobody else can write.

    Args:
        model: A model, not yet trained: `reset` begins with a copy of it. Some, such as HalfSpaceTrees, expect values
            between 0 and 1: put `preprocessing.MinMaxScaler() |` before them.
        threshold: Scores above it are anomalous; of no meaning for drift detectors. Which scores occur is the model's
            matter.
        warm_up: Values to learn from before any is judged.

    Raises:
        ConfigError: the model is neither kind.
    """

    kind = "river"

    def __init__(self, model: Any, *, threshold: float = 0.95, warm_up: int = 60) -> None:
        steps = getattr(model, "steps", None)  # of a pipeline; the last one judges
        last = list(steps.values())[-1] if steps else model
        self._drifts = hasattr(last, "drift_detected") and hasattr(last, "update")
        if not self._drifts and not (hasattr(last, "score_one") and hasattr(last, "learn_one")):
            raise ConfigError(f"model must be of river.anomaly, or a drift detector of river.drift, got {model!r}")
        self._supervised = not self._drifts and "y" in inspect.signature(last.score_one).parameters
        self.options = RiverOptions(threshold=threshold, warm_up=warm_up)
        self._new = copy.deepcopy(model)
        self.model, self._seen = model, 0
        self._lock = threading.Lock()

    def update(self, value: float | None, at: float) -> Verdict:  # noqa: ARG002
        """Judge the next value, then learn from it."""
        if value is None or not math.isfinite(value):
            return MISSING
        with self._lock:
            self._seen += 1
            verdict = self._drift(value) if self._drifts else self._score(value)
            return verdict if self._seen > self.options.warm_up else WARMING

    def reset(self) -> None:
        """Begin with an untrained copy of the model."""
        with self._lock:
            self.model, self._seen = copy.deepcopy(self._new), 0

    def _drift(self, value: float) -> Verdict:
        self.model.update(value)
        told = bool(self.model.drift_detected)
        return Verdict(told, 2.0 if told else 0.0, None, True, f"{_name(self.model)} tells a change" if told else "")

    def _score(self, value: float) -> Verdict:
        features = {"value": value}
        if self._supervised:
            found = self.model.score_one(features, value)
            self.model.learn_one(features, value)
        else:
            found = self.model.score_one(features)
            self.model.learn_one(features)
        score = max(0.0, float(found)) / self.options.threshold
        reason = f"{_name(self.model)} scores {value:.4g} with {found:.3g}" if score > 1 else ""
        return Verdict(score > 1, score, None, True, reason)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def __repr__(self) -> str:
        return f"River({_name(self.model)}, threshold={self.options.threshold}, warm_up={self.options.warm_up})"


def _name(model: Any) -> str:
    steps = getattr(model, "steps", None)
    return type(list(steps.values())[-1] if steps else model).__name__
