"""Carries events from an outbox to where they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from seawall._callables import is_coroutine_function
from seawall.distributed.hashing import stable_hash
from seawall.distributed.transactions.choreography._event import Event, type_of
from seawall.distributed.transactions.choreography._flow import Ask, Call, Flow
from seawall.distributed.transactions.choreography._options import DeliveryOptions
from seawall.distributed.transactions.choreography._pump import Failed
from seawall.distributed.transactions.choreography._worker import Worker, outbox_of, streams_of, worker_name
from seawall.engines import Journal, Record
from seawall.errors import ConfigError, Damaged, EngineError, WrongVersion

_MOST_AT_ONCE = 1_000_000


class Subscriptions:
    """Who is told which events: publishes to the streams of participants, on any engine with a Journal.

    Guarantees: at least once to each subscriber. Nobody is told of an event that nobody wants.

    Args:
        journal: Where participants read: their `source`.
        subscribers: By name of the participant, the types it wants: "order.placed", "order.*" or "*".
        partitions: By name of the participant, how many streams it has, where that is not 1.

    Raises:
        ConfigError: Something that can never work.
    """

    def __init__(
        self,
        journal: Journal,
        subscribers: Mapping[str, Iterable[str]],
        *,
        partitions: Mapping[str, int] | None = None,
    ) -> None:
        counts = dict(partitions or {})
        if unknown := sorted(counts.keys() - subscribers.keys()):
            raise ConfigError(f"partitions names {', '.join(unknown)}, which subscribes to nothing")
        self._journal = journal
        self._wanted = {worker_name(name): _patterns(name, types) for name, types in subscribers.items()}
        self._streams = {name: streams_of(name, _count(counts.get(name, 1))) for name in self._wanted}

    def streams(self, event: Event) -> tuple[str, ...]:
        """Where an event goes."""
        found = []
        for name, patterns in self._wanted.items():
            if any(fnmatchcase(event.type, pattern) for pattern in patterns):
                streams = self._streams[name]
                found.append(streams[stable_hash(event.key) % len(streams)])
        return tuple(found)

    def _published(self, events: Iterable[Event]) -> Flow[None]:
        """Tell events, in as few appends as there are streams."""
        told: dict[str, list[bytes]] = {}
        for event in events:
            data = event.encode()
            for stream in self.streams(event):
                told.setdefault(stream, []).append(data)
        for stream, found in told.items():
            yield Ask(self._journal, self._journal._do_append(stream, *found))


class Relay(Worker):
    """Publishes the events of one outbox.

    Guarantees: at least once, and in the order of the commits when `ordered`; what receives them must know repetitions
    by `event.id`, as participants do. An event leaves the outbox when `publish` has returned.

    Thread safety: yes; with `ordered` one of all relays of an outbox works and the others stand by.

    Args:
        name: Of the participant whose outbox it is.
        journal: Where the outbox is.
        publish: `Subscriptions`, or a function of the event, for `run_async` also a coroutine function.
        options: Those of `DeliveryOptions`.

    Raises:
        ConfigError: Something that can never work.
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        publish: Subscriptions | Callable[[Event], Any],
        **options: Any,
    ) -> None:
        super().__init__(worker_name(name), journal, (outbox_of(name),), DeliveryOptions.from_dict(options))
        if not callable(publish) and not isinstance(publish, Subscriptions):
            raise ConfigError(f"publish must be Subscriptions or a function of an event, got {publish!r}")
        self._publish = publish
        if isinstance(publish, Subscriptions):
            self._do_records = partial(_told, publish)

    def _for_tasks(self) -> str | None:
        return "publish" if is_coroutine_function(self._publish) else None

    def _do_record(self, record: Record) -> Flow[None]:
        try:
            event = Event.decode(record.data)
        except (Damaged, WrongVersion) as error:
            raise Failed(error, for_good=True) from error
        if isinstance(self._publish, Subscriptions):
            yield from self._publish._published((event,))
            return
        try:
            yield Call(self._publish, (event,))
        except EngineError:
            raise
        except Exception as error:
            raise Failed(error) from error


def _told(publish: Subscriptions, records: Sequence[Record]) -> Flow[int]:
    """Tell the first of them, up to what is no event, or to a million bytes; how many."""
    events: list[Event] = []
    size = 0
    for record in records:
        size += len(record.data)
        if size > _MOST_AT_ONCE and events:
            break
        try:
            events.append(Event.decode(record.data))
        except (Damaged, WrongVersion):
            break
    yield from publish._published(events)
    return len(events)


def _patterns(name: str, types: Iterable[str]) -> tuple[str, ...]:
    patterns = (types,) if isinstance(types, str) else tuple(types)
    for pattern in patterns:
        if pattern != "*":
            type_of(pattern.removesuffix(".*") if isinstance(pattern, str) else pattern)
    if not patterns:
        raise ConfigError(f"subscriber {name!r} wants no events; leave it out, or name types")
    return patterns


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_024:
        raise ConfigError(f"partitions must be whole numbers from 1 to 1,024, got {value!r}")
    return value
