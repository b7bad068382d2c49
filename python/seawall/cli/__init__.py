"""The `seawall` command."""

from seawall.cli._main import main

__all__ = ["main"]
