"""What all policies share at their face: decorating, calling, and the options every policy takes."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any, Literal, ParamSpec, TypeVar, cast

from seawall._core import guarded as _core
from seawall._core.policy import Policy, Waiting
from seawall.clock import Clock, SystemClock
from seawall.errors import ConfigError
from seawall.guard._made import tell
from seawall.guard._protect import Guarded, awaited, called_plainly, carried, protect

__all__ = ["Face", "OnConflict", "Policy", "Waiting", "conflict_of", "name_of", "share_of"]

P = ParamSpec("P")
R = TypeVar("R")

_SYSTEM = SystemClock()


def share_of(value: float, what: str) -> float:
    """A ratio from 0 to 1."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or not 0 <= value <= 1
    ):
        raise ConfigError(f"{what} must be a share from 0 to 1, got {value!r}")
    return float(value)


def name_of(name: str | None, default: str) -> str:
    """The name a policy goes by, and its slot in a segment."""
    if name is None:
        return default
    if not isinstance(name, str) or not name or len(name.encode()) > 100:
        raise ConfigError(f"name must be a str of 1 to 100 bytes, got {name!r}")
    return name


OnConflict = Literal["error", "adopt", "replace"]


def conflict_of(on_conflict: str) -> OnConflict:
    """What to do when a slot of a segment exists with another configuration."""
    if on_conflict in ("error", "adopt", "replace"):
        return on_conflict  # type: ignore[return-value]
    raise ConfigError(f"on_conflict must be 'error', 'adopt' or 'replace', got {on_conflict!r}")


class Face:
    """The calls every policy answers; mixed into a compiled policy.

    A policy decorates functions, coroutine functions, generators, async generators and methods, and keeps their names,
    signatures and types. One object serves any number of functions, threads, tasks and event loops.
    """

    __slots__ = ()

    def _begin(self, name: str, clock: Clock | None = None, shadow: bool = False, enforce: float = 1.0) -> None:
        """Take the options every policy takes. Called once, before the policy is used."""
        if clock is not None and not isinstance(clock, Clock):
            raise ConfigError(f"clock must be a seawall Clock (SystemClock or ManualClock), got {clock!r}")
        if not isinstance(shadow, bool):
            raise ConfigError(f"shadow must be True or False, got {shadow!r}")
        share = share_of(enforce, "enforce")
        cast(Policy, self)._bind(name, _SYSTEM if clock is None else clock)
        cast(Policy, self)._lenience(shadow, share)
        tell(self)

    def _follow(self, options: dict[str, Any]) -> Callable[[], None] | None:
        """Take a whole new set of options while running; what undoes it, or None when only a new policy can."""
        del options
        return None

    def __call__(self, fn: Callable[P, R]) -> Guarded[P, R]:
        return protect(fn, (cast(Policy, self),), self)

    def call(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a plain function through the policy, blocking where it waits."""
        called_plainly(fn)
        stages = (cast(Policy, self),)
        return cast(R, _core.call(stages, carried(fn, stages), args, kwargs))

    async def call_async(self, fn: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Await a coroutine function through the policy."""
        awaited(fn)
        return cast(R, await _core.call_async((cast(Policy, self),), fn, args, kwargs))
