"""`seawall demo`: an unreliable service with and without guards, under five patterns of load."""

from seawall.cli.demo._command import demo

__all__ = ["demo"]
