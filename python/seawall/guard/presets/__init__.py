"""Pipelines that suit a kind of callee, every part of which can be given otherwise."""

from seawall.guard.presets._database import database
from seawall.guard.presets._http import http
from seawall.guard.presets._llm import llm
from seawall.guard.presets._not_done import is_not_done

__all__ = ["database", "http", "is_not_done", "llm"]
