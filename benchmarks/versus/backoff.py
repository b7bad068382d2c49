"""backoff: a loop in the decorator."""

from __future__ import annotations

from functools import partial

import backoff

from benchmarks._case import Probe
from benchmarks.versus._guards import ATTEMPTS, guarded, tries_again
from benchmarks.versus._kinds import Makers


def _retry(is_async: bool) -> Probe:
    tries_again(
        backoff.on_exception(backoff.constant, ConnectionError, max_tries=ATTEMPTS, interval=0, jitter=None), is_async
    )
    return guarded(backoff.on_exception(backoff.expo, ConnectionError, max_tries=ATTEMPTS), is_async)


def retry() -> Makers:
    """The first attempt succeeds, of a plain function."""
    return {"on_exception": partial(_retry, False)}


def retry_async() -> Makers:
    """The first attempt succeeds, of a coroutine function."""
    return {"on_exception": partial(_retry, True)}
