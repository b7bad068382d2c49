"""Fault tolerance: limits, breaker, retry, timeout, bulkhead, fallback, and the pipeline that composes them."""

from seawall.guard._custom import Custom, Hooks
from seawall.guard._policy import Policy
from seawall.guard._protect import Guarded
from seawall.guard.pipeline import Pipeline, PipelineStats, pipelines, policies

__all__ = ["Custom", "Guarded", "Hooks", "Pipeline", "PipelineStats", "Policy", "pipelines", "policies"]
