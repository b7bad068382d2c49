"""What a call will give, asked of the callable before it is made."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from typing import Any

# Before 3.12 only asyncio knows objects that are marked; later it defers to inspect and goes away.
_gives_coroutine = inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction


def is_coroutine_function(fn: Any) -> bool:
    """Whether calling `fn` gives a coroutine, seen through partials and objects that are called like functions."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    method = inspect.getattr_static(fn, "__call__", None)  # of an object that is called like a function
    return _gives_coroutine(fn) or _gives_coroutine(method)
