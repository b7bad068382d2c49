"""What several clocks take, checked."""

from __future__ import annotations

from seawall.clock import ManualClock, WallClock
from seawall.errors import ConfigError

MOST_NODE_BYTES = 255
WALL = WallClock()


def checked_node(node: str) -> str:
    """A node's name, or a ConfigError that says what it must be."""
    if not isinstance(node, str) or not node:
        raise ConfigError(f"node must be a text that is not empty, got {node!r}; no two nodes may have the same")
    try:
        size = len(node.encode())
    except UnicodeEncodeError:
        raise ConfigError(f"node must be a text that UTF-8 can write, got {node!r}") from None
    if size > MOST_NODE_BYTES:
        raise ConfigError(f"node must have at most {MOST_NODE_BYTES} bytes in UTF-8, got {size}")
    return node


def checked_name(name: str) -> str:
    """The name of a clock and of its slot, or a ConfigError."""
    if not isinstance(name, str) or not name:
        raise ConfigError(f"name must be a text that is not empty, got {name!r}")
    return name


def checked_wall(clock: WallClock | ManualClock | None) -> WallClock | ManualClock:
    """What tells wall time, the machine where there is none, or a ConfigError."""
    if clock is None:
        return WALL
    if not isinstance(clock, (WallClock, ManualClock)):
        raise ConfigError(
            f"clock must tell wall time (WallClock, or ManualClock counted from 1970), got {clock!r}; "
            "monotonic time means nothing to other machines"
        )
    return clock
