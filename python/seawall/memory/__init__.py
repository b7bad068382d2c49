"""Memory that all workers of a machine share."""

from seawall.memory._segment import Segment, SlotInfo

__all__ = ["Segment", "SlotInfo"]
