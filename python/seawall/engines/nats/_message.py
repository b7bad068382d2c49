"""Messages of a stream, as they are read."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

OPERATION, LEASE, UNTIL, TTL = "Seawall-Op", "Seawall-Lease", "Seawall-Until", "Seawall-Ttl"
_TIME = re.compile(r"(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$")


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Args:
        subject: Where it was published.
        sequence: In its stream.
        headers: Those of ours among them.
        data: Its payload.
        at_ns: When the server stored it, by its wall clock.
    """

    subject: str
    sequence: int
    headers: dict[str, str]
    data: bytes
    at_ns: int

    @property
    def is_void(self) -> bool:
        """Whether it was stored too late for what it was conditional on: it must be taken for not there."""
        until = self.headers.get(UNTIL)
        return until is not None and self.at_ns >= int(until)

    @property
    def operation(self) -> str:
        """What it says beside its data."""
        return self.headers.get(OPERATION, "")

    @property
    def ends_ns(self) -> int:
        """When what it says ends."""
        return self.at_ns + int(self.headers.get(TTL, "0"))


def ns_of(time: str) -> int:
    """Nanoseconds of a time in RFC 3339."""
    found = _TIME.match(time)
    assert found is not None, time
    whole, fraction, zone = found.groups()
    seconds = datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp()
    return round(seconds) * 1_000_000_000 + int((fraction or "").ljust(9, "0")[:9])


def of_answer(found: dict[str, Any]) -> Message:
    """The message in an answer of the API."""
    lines = base64.b64decode(found.get("hdrs", "")).decode(errors="replace").split("\r\n")
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines[1:]) if name}
    data = base64.b64decode(found.get("data", ""))
    return Message(found["subject"], found["seq"], headers, data, ns_of(found["time"]))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that a consumer delivered.

    Args:
        message: The message.
        number: Of the delivery, by one for each.
        pending: How many more there are.
    """

    message: Message
    number: int
    pending: int


def of_delivery(raw: Any) -> Delivery:
    """The delivery in a message of the client library."""
    words = raw.reply.split(".")
    # $JS.ACK.stream.consumer.times.sequence.number.time.pending, longer with the domain and the account.
    first = 5 if len(words) == 9 else 7
    sequence, number, at_ns, pending = (int(word) for word in words[first : first + 4])
    message = Message(raw.subject, sequence, dict(raw.headers or {}), raw.data, at_ns)
    return Delivery(message, number, pending)
