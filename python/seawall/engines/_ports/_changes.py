"""What a watch tells, and what an engine hands to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from seawall.engines._ports._key_value import Entry


class Put(NamedTuple):
    """A key was written."""

    key: str
    value: bytes
    revision: int


class Deleted(NamedTuple):
    """A key is gone: deleted, or its lease ended."""

    key: str
    revision: int


class Resync(NamedTuple):
    """Changes were missed; this is the whole state instead, and the watch goes on from it.

    Whatever is not in `entries` does not exist (any more).

    Attributes:
        entries: All keys below the prefix.
        revision: The revision at which that was true.
        reason: Why following was not possible.
    """

    entries: tuple[Entry, ...]
    revision: int
    reason: str


Change = Put | Deleted
Event = Put | Deleted | Resync


class Batch(NamedTuple):
    """An engine's answer to "what has changed?". That it came proves that the engine is alive.

    Attributes:
        changes: In the order of their revisions, each above the one that was asked from.
        revision: Everything up to here has been told, also when it was not below the prefix.
    """

    changes: tuple[Change, ...]
    revision: int


@dataclass(slots=True)
class Feed:
    """Where one watch stands, kept between two questions.

    Args:
        prefix: What is watched.
        after: The revision up to which everything was told.
        handle: The engine's own: an open stream, a subscription. Closed (`_unfollow`) after any EngineError; after a
            cancellation (a caller that stops waiting and asks again later) it is used again.
    """

    prefix: str
    after: int
    handle: Any = None
