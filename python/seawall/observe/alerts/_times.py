"""Times and durations as people and other machines read them."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(at: float) -> str:
    """A unix time in UTC, to the millisecond."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{at:g}"


def lasting(seconds: float) -> str:
    """A duration, as people write it.

    Example:
        >>> lasting(300), lasting(5400), lasting(259200), lasting(4.32)
        ('5m', '1h30m', '3d', '4.3s')
    """
    if seconds < 60:
        return f"{seconds:.3g}s" if seconds < 1 else f"{seconds:.1f}s".replace(".0s", "s")
    left, said = round(seconds), ""
    for letter, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        many, left = divmod(left, size)
        if many:
            said += f"{many}{letter}"
    return said
