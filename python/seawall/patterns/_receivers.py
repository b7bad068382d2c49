"""One receiver of a signal: held strongly or weakly."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any


class Receiver:
    """A callable as a signal holds it, with the number of times it failed.

    Args:
        call: The callable.
        gone: Called when a weakly held callable has died; None holds it strongly.
    """

    __slots__ = ("__weakref__", "_ref", "_strong", "failures", "name")

    def __init__(self, call: Callable[[Any], Any], gone: Callable[[Receiver], None] | None) -> None:
        self.failures = 0
        self.name = getattr(call, "__qualname__", None) or type(call).__qualname__
        self._strong: Callable[[Any], Any] | None = None
        self._ref: weakref.ref[Any] | None = None
        if gone is None:
            self._strong = call
            return
        # The callback must not keep the signal alive through this receiver's own reference to it.
        mine = weakref.ref(self)

        def died(_: Any) -> None:
            receiver = mine()
            if receiver is not None:
                gone(receiver)

        self._ref = weakref.WeakMethod(call, died) if isinstance(call, MethodType) else weakref.ref(call, died)

    def target(self) -> Callable[[Any], Any] | None:
        """The callable, or None when it has died."""
        if self._ref is None:
            return self._strong
        call: Callable[[Any], Any] | None = self._ref()
        return call

    def holds(self, call: Callable[[Any], Any]) -> bool:
        """Whether this is the receiver for `call`; a bound method is equal to another access of itself."""
        mine = self.target()
        return mine is call or (isinstance(mine, MethodType) and isinstance(call, MethodType) and mine == call)
