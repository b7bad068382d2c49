"""When an error says that the call may be made again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from seawall.errors._statuses import attribute

LONGEST = 86_400.0
_DEEPEST = 8
_LIST_ITEM = re.compile(r";\s*(r|t)\s*=\s*(\d+)")


def retry_after_of(error: Any, *, wall: float | None = None, most: float = LONGEST) -> float | None:
    """Seconds until the call may be made again, as far as the error or its causes say.

    Looked at, in this order: `retry_after` (seawall's refusals, and many clients' errors); gRPC pushback
    (`grpc-retry-pushback-ms` in the trailing metadata; a negative one means never); of the headers of the error or of
    its response `Retry-After`, as seconds or as a date, then `RateLimit`, `RateLimit-Reset` and `X-RateLimit-Reset`
    where nothing remains.

    Guarantees: never negative, never NaN, at most `most`.

    Units: seconds.

    Args:
        error: An exception, or a response.
        wall: Unix time now, for headers that give a date; by default the machine's.
        most: Longest answer; more is cut to it.

    Source: RFC 9110 section 10.2.3; draft-ietf-httpapi-ratelimit-headers; gRPC A6 (pushback).

    Example:
        >>> class Busy(Exception):
        ...     headers = {"Retry-After": "3"}
        >>> retry_after_of(Busy())
        3.0
    """
    for _ in range(_DEEPEST):
        seconds = _own(error)
        if seconds is None:
            seconds = _pushback(error)
        if seconds is None:
            seconds = _from_headers(error, wall)
        if seconds is not None:
            return min(max(seconds, 0.0), most)
        error = error.__cause__ if isinstance(error, BaseException) else None
        if error is None:
            break
    return None


def _own(error: Any) -> float | None:
    value = attribute(error, "retry_after")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        total = attribute(value, "total_seconds")
        value = total() if callable(total) else None
    return _finite(value)


def _pushback(error: Any) -> float | None:
    metadata = attribute(error, "trailing_metadata")
    try:
        pairs = dict(metadata() or ()) if callable(metadata) else {}
    except Exception:  # noqa: BLE001 - foreign code; its failure must not hide the error that is being looked at
        return None
    milliseconds = _number(pairs.get("grpc-retry-pushback-ms"))
    if milliseconds is None:
        return None
    return milliseconds / 1e3 if milliseconds >= 0 else math.inf


def _from_headers(error: Any, wall: float | None) -> float | None:
    for holder in (attribute(error, "response"), error):
        headers = _headers(holder)
        if not headers:
            continue
        seconds = _retry_after(headers.get("retry-after"), wall)
        if seconds is None:
            seconds = _rate_limit(headers, wall)
        if seconds is not None:
            return seconds
    return None


def _headers(holder: Any) -> dict[str, str]:
    if isinstance(holder, dict):  # botocore
        metadata = holder.get("ResponseMetadata")
        headers = metadata.get("HTTPHeaders") if isinstance(metadata, dict) else None
    else:
        headers = attribute(holder, "headers")
    items = attribute(headers, "items")
    return {str(name).lower(): str(value) for name, value in items()} if callable(items) else {}


def _retry_after(text: str | None, wall: float | None) -> float | None:
    if text is None:
        return None
    seconds = _number(text)
    if seconds is not None:
        return seconds
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return date.timestamp() - _wall(wall)


def _rate_limit(headers: Mapping[str, str], wall: float | None) -> float | None:
    waits = []
    for item in headers.get("ratelimit", "").split(","):
        values = {name: int(value) for name, value in _LIST_ITEM.findall(item)}
        if values.get("r") == 0 and "t" in values:
            waits.append(float(values["t"]))
    if waits:
        return max(waits)
    for prefix in ("ratelimit", "x-ratelimit"):
        reset = _number(headers.get(f"{prefix}-reset"))
        if reset is not None and (_number(headers.get(f"{prefix}-remaining")) or 0) <= 0:
            # GitHub and others give the Unix time at which the window ends, not the time until then.
            return reset - _wall(wall) if reset > 1e9 else reset
    return None


def _wall(wall: float | None) -> float:
    return datetime.now(UTC).timestamp() if wall is None else wall


def _number(text: Any) -> float | None:
    try:
        return _finite(float(text))
    except (TypeError, ValueError):
        return None


def _finite(value: Any) -> float | None:
    # Infinity is an answer ("never") and is cut to the longest; NaN is none.
    return float(value) if value is not None and not math.isnan(value) else None
