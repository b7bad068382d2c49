"""stamina: tenacity with better defaults."""

from __future__ import annotations

from functools import partial

import stamina

from benchmarks._case import Probe
from benchmarks.versus._guards import ATTEMPTS, guarded, tries_again
from benchmarks.versus._kinds import Makers


def _retry(is_async: bool) -> Probe:
    at_once = stamina.retry(on=ConnectionError, attempts=ATTEMPTS, wait_initial=0, wait_max=0, wait_jitter=0)
    stamina.instrumentation.set_on_retry_hooks([])  # else it logs each retry
    tries_again(at_once, is_async)
    stamina.instrumentation.set_on_retry_hooks(None)
    return guarded(stamina.retry(on=ConnectionError, attempts=ATTEMPTS), is_async)


def retry() -> Makers:
    """The first attempt succeeds, of a plain function."""
    return {"retry": partial(_retry, False)}


def retry_async() -> Makers:
    """The first attempt succeeds, of a coroutine function."""
    return {"retry": partial(_retry, True)}
