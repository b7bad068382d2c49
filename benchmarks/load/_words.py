"""Numbers as they stand in tables."""

from __future__ import annotations

from collections.abc import Sequence


def told(seconds: float) -> str:
    """A length of time in a unit that reads well."""
    if seconds >= 0.9995e-3:
        return f"{seconds * 1e3:,.0f} ms" if seconds >= 0.1 else f"{seconds * 1e3:.3g} ms"
    return f"{seconds * 1e6:.3g} us"


def against(seconds: float, truth: float) -> str:
    """A time with its error, where the truth is long enough for an error to mean something."""
    if truth < 2e-3:
        return told(seconds)
    return f"{told(seconds)} ({seconds / truth - 1:+.1%})"


def many(number: float) -> str:
    """A whole number."""
    return f"{number:,.0f}"


def spread(values: Sequence[float]) -> str:
    """The least and the greatest."""
    return f"{min(values):,.0f} - {max(values):,.0f}"


def megabytes(size: float) -> str:
    """A size in MB of 10**6 bytes."""
    return f"{size / 1e6:,.0f} MB"
