"""tenacity: an object of state for every call."""

from __future__ import annotations

from functools import partial

from tenacity import retry as tenacity
from tenacity import stop_after_attempt, wait_exponential, wait_none

from benchmarks._case import Probe
from benchmarks.versus._guards import ATTEMPTS, guarded, tries_again
from benchmarks.versus._kinds import Makers


def _retry(is_async: bool) -> Probe:
    tries_again(tenacity(stop=stop_after_attempt(ATTEMPTS), wait=wait_none()), is_async)
    return guarded(tenacity(stop=stop_after_attempt(ATTEMPTS), wait=wait_exponential()), is_async)


def retry() -> Makers:
    """The first attempt succeeds, of a plain function."""
    return {"retry": partial(_retry, False)}


def retry_async() -> Makers:
    """The first attempt succeeds, of a coroutine function."""
    return {"retry": partial(_retry, True)}
