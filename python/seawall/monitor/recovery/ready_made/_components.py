"""Actions on parts of the service: restart, rebuild, shed, open a breaker."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from seawall.errors import ConfigError
from seawall.monitor.recovery._action import Action

T = TypeVar("T")


def restart(component: Any, *, name: str | None = None, **bounds: Any) -> Action:
    """Call `component.restart()`, or `stop()` and then `start()`; functions or coroutine functions.

    Args:
        component: What has them.
        name: Of the action.
        bounds: timeout, settle, cooldown and budget, as of an Action.

    Raises:
        ConfigError: it has neither.
    """
    calls = ("restart",) if hasattr(component, "restart") else ("stop", "start")
    steps = [getattr(component, call, None) for call in calls]
    if not all(callable(each) for each in steps):
        raise ConfigError(f"a component must have restart(), or stop() and start(), got {component!r}")

    async def work() -> None:
        for each in steps:
            answer = each()  # type: ignore[misc]  # checked above
            if inspect.isawaitable(answer):
                await answer

    def work_plainly() -> None:
        for each in steps:
            each()  # type: ignore[misc]  # checked above

    waits = any(inspect.iscoroutinefunction(each) for each in steps)
    return Action(name or f"restart {type(component).__name__}", work if waits else work_plainly, **bounds)


class Replaceable(Generic[T]):
    """Holds a pool, client or other thing that can be built anew while it is in use.

    Guarantees: there is always one to get: the new one is built before the old one is let go, and a build that fails
    changes nothing.
    Thread safety: yes; of two that rebuild at once one waits.

    Args:
        build: Makes one.
        close: Ends one that has been replaced. Calls that still use it are its own matter.

    Example:
        >>> pool = Replaceable(list, close=list.clear)
        >>> old = pool.get()
        >>> pool.rebuild()
        >>> pool.get() is old
        False
    """

    def __init__(self, build: Callable[[], T], *, close: Callable[[T], object] | None = None) -> None:
        self._build, self._close = build, close
        self._lock = threading.Lock()
        self._present = build()
        self.built = 1

    def get(self) -> T:
        """The present one; do not keep it longer than a call."""
        return self._present

    def rebuild(self) -> None:
        """Build a new one, put it in place, and close the old one.

        Raises:
            Exception: What `build` raises, and then nothing has changed; or what `close` raises.
        """
        with self._lock:
            fresh = self._build()
            old, self._present = self._present, fresh
            self.built += 1
        if self._close is not None:
            self._close(old)


def rebuild(pool: Replaceable[Any], *, name: str = "rebuild the pool", **bounds: Any) -> Action:
    """Build the pool anew. Bounds as of an Action."""
    return Action(name, pool.rebuild, **bounds)


class _Limit(Protocol):
    def reconfigure(self, *args: Any, **options: Any) -> None: ...


def shed(
    limit: _Limit, *, to: Mapping[str, Any], back: Mapping[str, Any], name: str = "shed load", **bounds: Any
) -> Action:
    """Let less in: `limit.reconfigure(**to)`, and once the condition has cleared `limit.reconfigure(**back)`.

    Args:
        limit: A limit of `seawall.guard.limits`, a shared one for all workers.
        to: Its options under trouble, such as {"rate": 20}.
        back: Its usual options.
        name: Of the action.
        bounds: timeout, settle, cooldown and budget, as of an Action.
    """
    return Action(name, lambda: limit.reconfigure(**to), undo=lambda: limit.reconfigure(**back), **bounds)


class _Breaker(Protocol):
    @property
    def name(self) -> str: ...
    def force_open(self) -> bool: ...
    def force_close(self) -> bool: ...


def open_breaker(breaker: _Breaker, *, name: str | None = None, **bounds: Any) -> Action:
    """Force a circuit breaker open, and once the condition has cleared closed. Bounds as of an Action."""
    return Action(name or f"open breaker {breaker.name}", breaker.force_open, undo=breaker.force_close, **bounds)
