"""What services tell each other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from seawall.distributed.transactions._records import as_json, to_json
from seawall.errors import ConfigError, Damaged, WrongVersion

VERSION = 1
_FIELDS = ("id", "type", "data", "key", "correlation", "causation", "hops", "at")
_LONGEST_TYPE = 200
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened.

    Attributes:
        type: "order.placed".
        data: JSON.
        id: Unique; whoever receives the event twice knows it by this.
        key: Events of one key keep their order where streams are followed in order.
        correlation_id: The id of the event with which all began; the same in all that follows from it.
        causation_id: The id of the event whose handler emitted this one; empty at the beginning.
        hops: How many handlers lie behind it.
        at_us: When it was emitted, in microseconds of Unix time; for people.
    """

    type: str
    data: Any
    id: str
    key: str
    correlation_id: str
    causation_id: str = ""
    hops: int = 0
    at_us: int = 0

    def encode(self) -> bytes:
        """As it travels: one JSON object."""
        values = (
            self.id, self.type, self.data, self.key, self.correlation_id, self.causation_id, self.hops, self.at_us,
        )  # fmt: skip
        return to_json(
            {"v": VERSION, **dict(zip(_FIELDS, values, strict=True))}, f"the data of event {self.type!r}"
        ).encode()

    @classmethod
    def decode(cls, data: bytes) -> Event:
        """The event that travelled.

        Raises:
            Damaged: It is none.
            WrongVersion: A newer seawall sent it.
        """
        try:
            kept = json.loads(data)
            version = kept["v"]
            event = cls(kept["type"], kept["data"], *(kept[name] for name in ("id", *_FIELDS[3:])))
            texts = (event.type, event.id, event.key, event.correlation_id, event.causation_id)
            sound = all(isinstance(text, str) for text in texts) and isinstance(event.hops, int)
        except (ValueError, TypeError, KeyError) as error:
            raise Damaged(f"this is no event: {data[:60]!r}") from error
        if version != VERSION:
            raise WrongVersion(f"an event of version {version}, this seawall reads version {VERSION}; upgrade it")
        if not sound:
            raise Damaged(f"this is no event: {data[:60]!r}")
        return event


def begun(type: str, data: Any, *, id: str, key: str | None, correlation_id: str | None, at_us: int) -> Event:
    """An event with which something begins."""
    return Event(
        type_of(type), as_json(data, f"the data of event {type!r}"), id, name_of(key, "key") if key else id,
        name_of(correlation_id, "correlation_id") if correlation_id else id, at_us=at_us,
    )  # fmt: skip


def followed(cause: Event, type: str, data: Any, *, who: str, number: int, key: str | None, at_us: int) -> Event:
    """An event that follows from another.

    Its id is computed from its cause, so that a handler that runs again, after a commit nobody heard of, says the same.
    """
    id = hashlib.sha256(json.dumps([cause.id, who, number]).encode()).hexdigest()[:32]
    return Event(
        type_of(type), as_json(data, f"the data of event {type!r}"), id, name_of(key, "key") if key else cause.key,
        cause.correlation_id, cause.id, cause.hops + 1, at_us,
    )  # fmt: skip


def type_of(value: Any) -> str:
    """A type of events: words of letters, digits, '-' and '_', with dots between."""
    good = isinstance(value, str) and 1 <= len(value) <= _LONGEST_TYPE and value.isascii()
    if not good or not all(word.replace("-", "").replace("_", "").isalnum() for word in value.split(".")):
        raise ConfigError(
            f"type must be 1 to {_LONGEST_TYPE} ASCII letters, digits, '-' and '_', with dots between words, got "
            f"{value!r}"
        )
    return str(value)


def name_of(value: Any, what: str) -> str:
    """A key or id: text of 1 to 256 bytes without control characters."""
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value.encode(errors="replace")) <= 256:
        raise ConfigError(
            f"{what} must be text of 1 to {_LONGEST_NAME} bytes without control characters, got {value!r:.80}"
        )
    return value
