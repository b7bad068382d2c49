"""Prefixes as ranges of text."""

from __future__ import annotations

_LAST = chr(0x10FFFF)


def below(column: str, prefix: str) -> tuple[str, tuple[str, ...]]:
    """An SQL condition, and its parameters, for text that begins with `prefix`; SQLite orders by code points."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return f"{column} >= ?", (prefix,)
    following = ord(stem[-1]) + 1
    # No text has surrogates in it.
    end = stem[:-1] + chr(0xE000 if following == 0xD800 else following)
    return f"{column} >= ? AND {column} < ?", (prefix, end)
