"""What metrics and their labels may be called. Source: the Prometheus data model, and OpenMetrics 1.0."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from seawall.errors import ConfigError

Kind = Literal["counter", "gauge", "histogram"]

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_RESERVED = ("le", "quantile")
_UNITS = ("seconds", "bytes", "ratio")
_MOST_LABELS = 32
_MOST_BYTES = 200

_SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "counter": ("", "_total", "_created"),
    "gauge": ("",),
    "histogram": ("", "_bucket", "_sum", "_count", "_created"),
}


def checked_name(kind: Kind, name: str, prefix: str = "") -> str:
    """The name of a family, with its prefix and without the `_total` that formats add to counters."""
    if not isinstance(name, str) or not _METRIC.fullmatch(name) or len(prefix + name) > _MOST_BYTES:
        raise ConfigError(
            f"name must be letters, digits, _ and :, start with no digit and have at most {_MOST_BYTES} characters, "
            f"got {name!r}; http_requests is one"
        )
    prefix = "" if name.startswith("seawall_") else prefix  # our own are called the same everywhere
    bare = name.removesuffix("_total") if kind == "counter" else name
    if not bare:
        raise ConfigError(f"name must say what is counted before _total, got {name!r}; http_requests_total does")
    if prefix + bare == "seawall_metrics_dropped":
        raise ConfigError(f"name {name!r} is taken: the metrics count in it what found no room")
    return prefix + bare


def checked_prefix(prefix: str) -> str:
    """What stands before every name; "" for nothing."""
    if not isinstance(prefix, str) or (prefix and not _METRIC.fullmatch(prefix)):
        raise ConfigError(f"prefix must be letters, digits, _ and :, and start with no digit, got {prefix!r}")
    return prefix


def checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """The names of a family's labels."""
    if isinstance(labels, str):
        raise ConfigError(f"labels must be names in a tuple, got {labels!r}; labels=({labels!r},) has one")
    names = tuple(labels)
    for name in names:
        checked_label(name)
    if len(set(names)) != len(names) or len(names) > _MOST_LABELS:
        raise ConfigError(f"labels must be different names, at most {_MOST_LABELS}, got {names}")
    return names


def checked_label(name: str) -> str:
    """The name of one label."""
    if not isinstance(name, str) or not _LABEL.fullmatch(name) or len(name) > _MOST_BYTES:
        raise ConfigError(f"a label must be letters, digits and _, and start with no digit, got {name!r}")
    if name in _RESERVED or name.startswith("__"):
        raise ConfigError(f"a label must not be le or quantile nor start with __, which formats use, got {name!r}")
    return name


def unit_of(name: str, unit: str | None) -> str:
    """The unit of a family: what was asked for, else what its name ends with."""
    if unit is None:
        return next((known for known in _UNITS if name.endswith("_" + known)), "")
    if not isinstance(unit, str) or (unit and not name.endswith("_" + unit)):
        raise ConfigError(f"unit must be what the name ends with, got {unit!r} for {name}; call it {name}_{unit}")
    return unit


def clash(name: str, kind: Kind, others: Iterable[tuple[str, Kind]]) -> str | None:
    """The name of a family whose series would be called like those of this one; None when there is none."""
    mine = {name + suffix for suffix in _SUFFIXES[kind]}
    for other, other_kind in others:
        if other != name and not mine.isdisjoint(other + suffix for suffix in _SUFFIXES[other_kind]):
            return other
    return None
