"""Checks of what alerts are asked for, and the words in which they refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from seawall.clock import to_ns
from seawall.errors import ConfigError

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_YEAR_NS = 366 * 86_400 * 1_000_000_000


def seconds_of(value: Any, what: str, *, least: float = 0.0) -> float:
    """A duration of at most a year, in seconds."""
    return to_ns(value, what, least_ns=round(least * 1e9), most_ns=_YEAR_NS) / 1e9


def name_of(value: Any, what: str, most: int = 200) -> str:
    """A text of 1 to `most` characters, all of them printable."""
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        raise ConfigError(f"{what} must be a text of 1 to {most} printable characters, got {value!r}")
    return value


def texts_of(values: Any, what: str) -> dict[str, str]:
    """Labels or annotations: names to texts."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{what} must be a mapping of names to texts, got {values!r}")
    for name, value in values.items():
        if not isinstance(name, str) or not _LABEL.fullmatch(name) or not isinstance(value, str):
            raise ConfigError(f"{what} must be a mapping of names such as 'team' to texts, got {name!r}: {value!r}")
    return dict(values)


def labels_of(names: Any, what: str) -> tuple[str, ...]:
    """Names of labels, each once."""
    found = (names,) if isinstance(names, str) else tuple(names)
    for name in found:
        if not isinstance(name, str) or not _LABEL.fullmatch(name):
            raise ConfigError(f"{what} must be names of labels such as 'route', got {name!r}")
    return tuple(dict.fromkeys(found))


def choice_of(value: Any, what: str, among: tuple[str, ...]) -> str:
    """One of a few words."""
    if value not in among:
        raise ConfigError(f"{what} must be one of {', '.join(map(repr, among))}, got {value!r}")
    return str(value)


def whole_of(value: Any, what: str, least: int, most: int, usual: int) -> int:
    """A whole number in a range."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(
            f"{what} must be a whole number from {least:,} to {most:,}, got {value!r}; {usual:,} is usual"
        )
    return value
