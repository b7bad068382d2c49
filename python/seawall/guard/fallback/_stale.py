"""The last good result of a call, kept for the time when the call fails."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from seawall.clock import Clock
from seawall.guard.fallback._options import StaleOptions

Known = tuple[tuple[Any, ...], dict[str, Any]]


class Stale:
    """At most `max_entries` results by function and arguments, the least recently used first to go.

    Thread safety: yes, by single operations of the table that are each atomic; no lock is held while arguments are
    hashed and compared, which is user code.
    """

    source = "stale"

    def __init__(self, options: StaleOptions) -> None:
        self.options = options
        self.unkeyed = 0
        self._kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def remember(self, fn: Any, known: Known, value: Any, clock: Clock) -> None:
        """Keep a good result."""
        key = self._key(fn, known)
        if key is None:
            self.unkeyed += 1
            return
        self._kept.pop(key, None)
        self._kept[key] = (clock.now_ns(), value)
        while len(self._kept) > self.options.max_entries:
            try:
                self._kept.popitem(last=False)
            except KeyError:  # other threads have made room
                return

    def recall(self, fn: Any, known: Known, clock: Clock) -> tuple[float, Any] | None:
        """(age in seconds, result) if there is one that is not too old."""
        key = self._key(fn, known)
        found = None if key is None else self._kept.get(key)
        if found is None:
            return None
        age = (clock.now_ns() - found[0]) / 1e9
        if age > self.options.ttl:  # type: ignore[operator]
            self._kept.pop(key, None)
            return None
        with contextlib.suppress(KeyError):  # another thread has dropped it: this call still has it
            self._kept.move_to_end(key)
        return age, found[1]

    def _key(self, fn: Any, known: Known) -> Hashable | None:
        args, kwargs = known
        of: Callable[..., Hashable] | None = self.options.key
        try:
            key = (fn, of(*args, **kwargs)) if of is not None else (fn, args, tuple(sorted(kwargs.items())))
            hash(key)
        except Exception:  # noqa: BLE001 - the call itself is good; what cannot be told apart is not kept, and counted
            return None
        return key
