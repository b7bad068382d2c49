"""Fault tolerance: limits, breaker, retry, timeout, bulkhead, fallback, and the pipeline that composes them."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.guard import presets
    from seawall.guard._announced import made
    from seawall.guard._custom import Custom, Hooks
    from seawall.guard._policy import Policy
    from seawall.guard._protect import Guarded
    from seawall.guard.pipeline import Pipeline, PipelineStats, pipelines, policies

__all__ = [
    "Custom",
    "Guarded",
    "Hooks",
    "Pipeline",
    "PipelineStats",
    "Policy",
    "made",
    "pipelines",
    "policies",
    "presets",
]

# Loaded when first named: who only limits does not load what composes policies.
_HOME = {
    "Custom": "_custom", "Hooks": "_custom", "Policy": "_policy", "made": "_announced", "Guarded": "_protect",
    "Pipeline": "pipeline", "PipelineStats": "pipeline", "pipelines": "pipeline", "policies": "pipeline",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "presets":
        return importlib.import_module("seawall.guard.presets")
    if name not in _HOME:
        raise AttributeError(f"module 'seawall.guard' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seawall.guard.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
