"""Records of transactions: JSON with a version, a word for what happened, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from seawall.errors import ConfigError, Damaged, WrongVersion

VERSION = 1
_LARGEST = 900_000  # with what is around it less than a record may have


class LogEntry(NamedTuple):
    """One thing that happened to a transaction.

    Attributes:
        what: One word: begun, started, done, failed...
        at_us: When, in microseconds of Unix time; for people and for deadlines of hours.
        data: What belongs to it; JSON.
        final: Nothing can come after it.
    """

    what: str
    at_us: int
    data: Mapping[str, Any]
    final: bool = False


def encode(entry: LogEntry) -> bytes:
    """As it is kept.

    Raises:
        ConfigError: Something in it is no JSON; the message says what.
    """
    kept: dict[str, Any] = {"v": VERSION, "what": entry.what, "at": entry.at_us}
    if entry.final:
        kept["final"] = True
    if entry.data:
        kept["data"] = entry.data
    return to_json(kept, f"the record {entry.what!r}").encode()


def decode(data: bytes, stream: str) -> LogEntry:
    """What was kept.

    Raises:
        Damaged: It is no record of a transaction.
        WrongVersion: A newer seawall wrote it.
    """
    try:
        kept = json.loads(data)
        version = kept["v"]
        entry = LogEntry(kept["what"], kept["at"], kept.get("data", {}), kept.get("final", False))
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(f"stream {stream!r} holds a record that no transaction wrote: {data[:60]!r}") from error
    if version != VERSION:
        raise WrongVersion(
            f"stream {stream!r} has records of version {version}, this seawall reads version {VERSION}; upgrade it"
        )
    return entry


def to_json(value: Any, what: str) -> str:
    """JSON without spaces; `what` names the value in errors.

    Raises:
        ConfigError: It is none: a type JSON does not know, NaN, a circle.
    """
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{what} must be JSON (None, bool, int, float, str, list, dict), but {error}") from error


def as_json(value: Any, what: str) -> Any:
    """The value as it will be read again: tuples as lists, keys as text; equal values stay equal.

    Raises:
        ConfigError: It is no JSON, or more than 900,000 bytes of it.
    """
    text = to_json(value, what)
    if len(text) > _LARGEST:
        raise ConfigError(
            f"{what} must be at most {_LARGEST:,} bytes as JSON, got {len(text):,}; keep large things elsewhere and "
            "their address here"
        )
    return json.loads(text)
