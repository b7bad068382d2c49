"""Tokens as fences take them."""

from __future__ import annotations

from seawall.distributed._holding import FencedHeld
from seawall.errors import ConfigError, LockLost

_MOST = (1 << 63) - 1


def token_of(held: FencedHeld | int) -> int:
    """The token of what is held, while it is held; or the token itself, as it came from another process.

    Raises:
        LockLost: It is not held any more.
        ConfigError: It is no token, and has none.
    """
    if isinstance(held, FencedHeld):
        held.check()
        return held.token
    if isinstance(held, bool) or not isinstance(held, int) or not 0 < held <= _MOST:
        raise ConfigError(
            f"a fence takes what a FencedLock gave, or its token, got {held!r}; an EfficiencyLock and a reader have "
            "no token: nothing they do can be fenced"
        )
    return held


def stale(held: FencedHeld | int, token: int, resource: str, seen: int | None) -> LockLost:
    """The error of a write with a token that is not the newest."""
    name = held.name if isinstance(held, FencedHeld) else resource
    newer = "a newer one" if seen is None else f"token {seen}"
    return LockLost(
        f"token {token} is void: {resource!r} has seen {newer}; nothing was written: stop, another holds {name!r}",
        name=name,
        token=token,
    )
