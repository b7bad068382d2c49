"""Policies composed: pipelines, by code or by configuration."""

from seawall.guard.pipeline._kinds import pipelines, policies, values
from seawall.guard.pipeline._pipeline import Pipeline, PipelineStats

__all__ = ["Pipeline", "PipelineStats", "pipelines", "policies", "values"]
