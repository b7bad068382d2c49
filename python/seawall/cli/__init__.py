"""The `seawall` command."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.cli._main import main

__all__ = ["main"]


# Loaded when first named: the demo's services live in this room and need neither click nor rich nor numpy.
def __getattr__(name: str) -> Any:
    if name != "main":
        raise AttributeError(f"module 'seawall.cli' has no attribute {name!r}")
    from seawall.cli._main import main

    return main
