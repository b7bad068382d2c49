"""Timestamps of recorded requests, from a file or a sequence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from seawall.errors import ConfigError
from seawall.measure.load.pattern._plans import Floats

MAX_TIMES = 10_000_000


def from_file(path: Path) -> Floats:
    """Read timestamps from a file: one a line, or JSON with a list of them.

    Raises:
        ConfigError: The file cannot be read, or holds something else.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            if lines.read(1) in {"{", "["}:
                lines.seek(0)
                return gather(_in_json(json.load(lines), path), str(path))
            lines.seek(0)
            return gather(_in_lines(lines, path), str(path))
    except OSError as error:
        raise ConfigError(
            f"replay must be a file that can be read, got {str(path)!r}: {error.strerror}; check the path"
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigError(
            f"replay must be a text file with one timestamp a line or JSON, got {str(path)!r}: {error}; export it again"
        ) from error


def gather(values: Iterable[float], origin: str) -> Floats:
    """Put timestamps into an array, in order.

    Raises:
        ConfigError: There are none or too many, or one is no finite number.
    """
    times = np.fromiter(_counted(values, origin), dtype=np.float64)
    if not times.size:
        raise ConfigError(f"replay needs at least one timestamp, got none in {origin}; record some requests first")
    times.sort()
    return times


def _counted(values: Iterable[object], origin: str) -> Iterator[float]:
    for n, value in enumerate(values, 1):
        if n > MAX_TIMES:
            raise ConfigError(
                f"replay takes at most {MAX_TIMES:,} timestamps, got more in {origin}; replay a part of them"
            )
        number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not number or not abs(value) < 1e15:  # type: ignore[arg-type]
            raise ConfigError(
                f"timestamp {n} of {origin} must be a finite number of seconds, got {value!r}; "
                "for example 1700000000.25"
            )
        yield float(value)  # type: ignore[arg-type]


def _in_lines(lines: Iterable[str], path: Path) -> Iterator[float]:
    for n, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield _read(text, n, path)


def _read(text: str, n: int, path: Path) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"line {n} of {path} must be a time in seconds or in ISO 8601, got {text[:80]!r}; "
            "for example 1700000000.25 or 2024-05-01T12:00:00.250Z"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _in_json(found: Any, path: Path) -> Iterable[Any]:
    if isinstance(found, dict) and isinstance(found.get("plan"), dict):
        from seawall.measure.load.pattern._recipe import arrivals_of

        return arrivals_of(found["plan"])
    times = found.get("arrivals") if isinstance(found, dict) else found
    if isinstance(times, list):
        return times
    if isinstance(found, dict) and "throughput" in found and "response_time" in found:
        raise ConfigError(
            f"replay needs the time of each request, but {path} is the result of a load test without a plan that could "
            "be made again (a closed model, or a long recording); replay a file with one timestamp a line"
        )
    raise ConfigError(
        f"replay needs a JSON list of timestamps, or an object with one named 'arrivals', which {path} has not; "
        "for example [0.5, 0.75, 2]"
    )
