"""Where a measurement lives: in its own memory, or in a slot of a segment."""

from __future__ import annotations

from seawall.errors import ConfigError
from seawall.memory import Segment


def segment_of(shared: Segment | str | None) -> Segment | None:
    """The segment that `shared` names or is; None for a private measurement.

    Raises:
        ConfigError: it is neither.
    """
    if shared is None or isinstance(shared, Segment):
        return shared
    if isinstance(shared, str):
        return Segment.named(shared)
    raise ConfigError(f"shared must be a Segment, its name or None, got {shared!r}")
