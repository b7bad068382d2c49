"""What a configuration can name: types of policies, kinds of structured values; and pipelines by name."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from seawall.guard._policy import Policy
from seawall.guard.pipeline._pipeline import Pipeline
from seawall.patterns import Registry

policies: Registry[Policy] = Registry("policies", Policy, entry_points="seawall.policies")
"""Types of policies by the name a configuration uses; packages add theirs by the entry point seawall.policies."""

values: Registry[Any] = Registry("values", entry_points="seawall.values")
"""Kinds of structured option values: `{kind = "exponential", start = 0.1}`."""

pipelines: Registry[Pipeline] = Registry("pipelines", Pipeline)
"""Pipelines by name: `pipelines.register("payments", lambda: guard)`, then `pipelines.create("payments")`."""

_NOTHING: Any = object()
_POLICIES = {
    "seawall.guard.limits": "TokenBucket LeakyBucket FixedWindow SlidingWindow SlidingLog",
    "seawall.guard.breaker": "CircuitBreaker",
    "seawall.guard.retry": "Retry",
    "seawall.guard.timeout": "Timeout",
    "seawall.guard.hedge": "Hedge",
    "seawall.guard.throttle": "Throttle",
    "seawall.guard.bulkhead": "Bulkhead ThreadBulkhead",
    "seawall.guard.adaptive": "AdaptiveLimit",
}
_VALUES = {
    "seawall.guard.adaptive": "Gradient Vegas AIMD",
    "seawall.guard.breaker": "Calls Seconds Ramp",
    "seawall.guard.hedge": "Quantile",
    "seawall.guard.retry": "Constant Linear Exponential Fibonacci Decorrelated RetryBudget",
}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def fallback(*, value: Any = _NOTHING, **options: Any) -> Policy:
    """A Fallback as a configuration can name it: `value` is what it answers."""
    from seawall.guard.fallback import Fallback

    return Fallback(*(() if value is _NOTHING else (value,)), **options)


def stale(**options: Any) -> Policy:
    """`Fallback.stale` as a configuration can name it."""
    from seawall.guard.fallback import Fallback

    return Fallback.stale(**{"name": "stale", **options})


class _Later:
    """A class that is imported when it is first used."""

    def __init__(self, home: str, name: str) -> None:
        self.home, self.name = home, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._class()(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._class())

    def _class(self) -> Any:
        return getattr(importlib.import_module(self.home), self.name)

    def __repr__(self) -> str:
        return f"{self.home}.{self.name}"


for _registry, _table in ((policies, _POLICIES), (values, _VALUES)):
    for _home, _names in _table.items():
        for _one in _names.split():
            _registry.register(_snake(_one), _Later(_home, _one))
for _factory in (fallback, stale):
    policies.register(_factory.__name__, _factory)
