"""Where exports get their snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from seawall.errors import ConfigError
from seawall.observe._snapshot import Snapshot


class HasSnapshot(Protocol):
    """What gives snapshots, such as `Metrics`."""

    def snapshot(self) -> Snapshot:
        """Everything at this moment."""


Source = Snapshot | HasSnapshot | Callable[[], Snapshot]


def snapshots_of(source: Source) -> Callable[[], Snapshot]:
    """What gives the next snapshot.

    Raises:
        ConfigError: the source gives none.
    """
    if isinstance(source, Snapshot):
        return lambda: source
    given = getattr(source, "snapshot", source)
    if not callable(given):
        raise ConfigError(f"source must be a Metrics, a Snapshot or a function that returns one, got {source!r}")
    made: Callable[[], Snapshot] = given
    return made
