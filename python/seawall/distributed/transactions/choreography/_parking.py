"""Events that were given up, and the attempts that failed until then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from seawall.distributed.transactions.choreography._event import Event
from seawall.engines import Journal, Record
from seawall.engines.operation import Op
from seawall.errors import ConfigError, Conflict, EngineError

_ALL = (1 << 53) - 1
_LONGEST_ERROR = 500


class Failure(NamedTuple):
    """One attempt that failed.

    Attributes:
        error: Its class and message.
        at_us: When, in microseconds of Unix time.
    """

    error: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that was given up, and waits for a person.

    Attributes:
        id: For `retry` and `discard`.
        event: None when it could not be read as one.
        data: As it came.
        reason: Why it was given up.
        failures: The attempts before.
        at_us: When it was given up, in microseconds of Unix time.
    """

    id: str
    event: Event | None
    data: bytes
    reason: str
    failures: tuple[Failure, ...]
    at_us: int


class Parking:
    """What of some streams has failed or been parked. A place of its own for each record, so nothing parks twice.

    Args:
        journal: Of the streams.
        streams: In the order of their partitions.
    """

    def __init__(self, journal: Journal, streams: Sequence[str]) -> None:
        self._journal = journal
        self._streams = tuple(streams)

    def _place(self, of: str, partition: int, position: int) -> str:
        return f"{of}/{self._streams[0]}/{partition}.{position:016d}"

    def failures(self, partition: int, position: int) -> Op[tuple[Failure, ...]]:
        """The attempts that failed, oldest first."""
        records = yield from self._journal._do_scan(self._place("failed", partition, position))
        return tuple(Failure(*json.loads(record.data)) for record in records)

    def failing(self, partition: int) -> Op[set[int]]:
        """Positions of records of which attempts have failed."""
        prefix = self._place("failed", partition, 0)[:-16]
        places = yield from self._journal._do_streams(prefix, limit=10_000)
        return {int(place.removeprefix(prefix)) for place in places}

    def add_failure(self, partition: int, position: int, failure: Failure) -> Op[None]:
        """Remember one more."""
        yield from self._journal._do_append(self._place("failed", partition, position), json.dumps(failure).encode())

    def forget_failures(self, partition: int, position: int) -> Op[None]:
        """It went well in the end, or was given up."""
        yield from self._journal._do_trim(self._place("failed", partition, position), _ALL)

    def hold(self, partition: int, position: int) -> Op[int]:
        """Say that work on a record begins that may kill the worker; how many have said so and were not heard again."""
        place = self._place("held", partition, position)
        records = yield from self._journal._do_scan(place)
        yield from self._journal._do_append(place, b"1")
        return len(records)

    def let_go(self, partition: int, position: int) -> Op[None]:
        """It did not kill this one."""
        yield from self._journal._do_trim(self._place("held", partition, position), _ALL)

    def park(self, partition: int, record: Record, reason: str, failures: Sequence[Failure], at_us: int) -> Op[None]:
        """Park a record; again it makes no difference."""
        head = json.dumps({"reason": reason, "failures": failures, "at": at_us}).encode()
        place = self._place("parked", partition, record.position)
        with suppress(Conflict):  # parked before by a worker who was killed before he could say so
            yield from self._journal._do_append(place, head, record.data, expected=0)

    def page(self, after: str, limit: int) -> Op[tuple[Parked, ...]]:
        """Parked records in order of their ids."""
        prefix = f"parked/{self._streams[0]}/"
        places = yield from self._journal._do_streams(prefix, after=prefix + after if after else "", limit=limit)
        found = []
        for place in places:
            records = yield from self._journal._do_scan(place)
            if len(records) == 2:  # else somebody has just taken it away
                found.append(_parked(place.removeprefix(prefix), records[0].data, records[1].data))
        return tuple(found)

    def again(self, id: str) -> Op[bool]:
        """Put a parked record back at the end of its stream; False when it is not there."""
        place, partition = self._found(id)
        records = yield from self._journal._do_scan(place)
        if len(records) != 2:
            return False
        yield from self._journal._do_append(self._streams[partition], records[1].data)
        yield from self._journal._do_trim(place, _ALL)
        return True

    def discard(self, id: str) -> Op[bool]:
        """Forget a parked record; False when it is not there."""
        place, _ = self._found(id)
        return bool((yield from self._journal._do_trim(place, _ALL)))

    def _found(self, id: str) -> tuple[str, int]:
        partition, dot, position = id.partition(".") if isinstance(id, str) else ("", "", "")
        known = dot and partition.isdecimal() and position.isdecimal() and int(partition) < len(self._streams)
        if not known:
            raise ConfigError(f"id must be that of a parked event, such as '0.0000000000000042', got {id!r}")
        return f"parked/{self._streams[0]}/{id}", int(partition)


def _parked(id: str, head: bytes, data: bytes) -> Parked:
    kept = json.loads(head)
    try:
        event = Event.decode(data)
    except EngineError:
        event = None
    return Parked(id, event, data, kept["reason"], tuple(Failure(*each) for each in kept["failures"]), kept["at"])


def words_of(error: BaseException) -> str:
    """The error as it is recorded."""
    try:
        said = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    except Exception:  # noqa: BLE001 -- a broken __str__ must not keep the event from being parked
        said = f"{type(error).__name__} whose text cannot be shown"
    return said if len(said) <= _LONGEST_ERROR else f"{said[: _LONGEST_ERROR - 3]}..."
