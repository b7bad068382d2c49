"""A service that reacts to events with changes of its own database and with further events."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from seawall._callables import is_coroutine_function
from seawall.distributed.transactions.choreography._event import Event, begun, followed, type_of
from seawall.distributed.transactions.choreography._flow import Ask, Call, Flow, run, run_async, within
from seawall.distributed.transactions.choreography._options import ParticipantOptions
from seawall.distributed.transactions.choreography._pump import Failed
from seawall.distributed.transactions.choreography._worker import Worker, outbox_of, streams_of, worker_name
from seawall.engines import Journal, Record
from seawall.engines.operation import Op, driver_of
from seawall.errors import ConfigError, Damaged, StepRefused, WrongVersion

H = TypeVar("H", bound=Callable[..., Any])
_OTHERS = "*"


@dataclass(frozen=True, slots=True)
class _Handler:
    function: Callable[[Any], Any]
    failed: str | None


class Reaction:
    """What a handler is called with.

    Attributes:
        event: To what it reacts.
        transaction: What `transaction` gave: the handler's changes go here, and are committed with all the rest.
    """

    __slots__ = ("_emitted", "_participant", "event", "transaction")

    def __init__(self, participant: Participant, event: Event, transaction: Any) -> None:
        self._participant = participant
        self._emitted: list[Event] = []
        self.event = event
        self.transaction = transaction

    def emit(self, type: str, data: Any = None, *, key: str | None = None) -> Event:
        """Tell what has happened, exactly when this transaction commits.

        Args:
            type: "payment.taken".
            data: JSON.
            key: By default that of the event reacted to.

        Raises:
            ConfigError: The type or data cannot be sent, or the chain of events is longer than `max_hops`.
        """
        event = self._participant._followed(self.event, type, data, len(self._emitted), key)
        self._emitted.append(event)
        return event

    def __repr__(self) -> str:
        return f"<Reaction of {self._participant.name} to {self.event.type} {self.event.id}>"


class Participant(Worker):
    """Handles events, each with one transaction: its memory of the event, the handler's changes, and what it emits.

    Guarantees: an event in its streams is handled at least once, and has its effect once within `window` seconds. What
    a handler emits exists exactly when its changes do. An event that fails again and again, that nobody handles, or
    that cannot be read is parked: nothing is lost. `ordered`: events of one stream are handled in their order.

    Thread safety: yes; any number of threads, tasks and processes may run one participant.

    Args:
        name: Of the service: its streams are `events/{name}`, its outbox `outbox/{name}`.
        journal: On the service's own database; its engine must be transactional.
        transaction: Gives a context manager that begins a transaction, gives its connection, and commits or rolls
            back: `pool.connection`, `partial(psycopg.connect, conninfo)`, `sqlite_transactions(path)`; for
            `run_async` an asynchronous one.
        source: Where its events come in; by default `journal`.
        options: Those of `ParticipantOptions`.

    Raises:
        ConfigError: Something that can never work.
    """

    options: ParticipantOptions

    def __init__(
        self,
        name: str,
        journal: Journal,
        transaction: Callable[[], Any],
        *,
        source: Journal | None = None,
        **options: Any,
    ) -> None:
        checked = ParticipantOptions.from_dict(options)
        super().__init__(worker_name(name), source or journal, streams_of(name, checked.partitions), checked)
        if not journal.guarantees.transactional:
            raise ConfigError(
                f"the journal of participant {name!r} is on {driver_of(journal).name}, which cannot join the "
                "transactions of its handlers; use an engine that is transactional, see docs/reference/engines.md"
            )
        if not callable(transaction):
            raise ConfigError(f"transaction must be a function that gives a context manager, got {transaction!r}")
        self._journal = journal
        self._transaction = transaction
        self._handlers: dict[str, _Handler] = {}
        self._is_prepared = False

    def on(self, *types: str, failed: str | None = None) -> Callable[[H], H]:
        """Register a handler of events.

        Args:
            types: "order.placed"; "*" for all that have no other handler.
            failed: The type of an event that is emitted when the handler has failed for good or raises `StepRefused`,
                with the reason and the event's data, in place of parking it: others compensate.

        Raises:
            ConfigError: A type has a handler already.

        Example:
            >>> from seawall.engines import open_engine
            >>> from seawall.distributed.transactions.choreography import sqlite_transactions
            >>> engine = open_engine("sqlite:///stock.db")
            >>> stock = Participant("stock", engine.journal(), sqlite_transactions("stock.db"))
            >>> @stock.on("order.placed")
            ... def hold(reaction):
            ...     reaction.transaction.execute("UPDATE stock SET free = free - 1")
            ...     reaction.emit("stock.held", {"order": reaction.event.key})
        """
        if not types:
            raise ConfigError("on() must name at least one type of events")
        failure = None if failed is None else type_of(failed)

        def register(function: H) -> H:
            for type in types:
                wanted = type if type == _OTHERS else type_of(type)
                if wanted in self._handlers:
                    raise ConfigError(f"participant {self.name!r} has a handler of {wanted!r} already")
                self._handlers[wanted] = _Handler(function, failure)
            return function

        return register

    def emit_within(
        self,
        transaction: Any,
        type: str,
        data: Any = None,
        *,
        key: str | None = None,
        correlation_id: str | None = None,
    ) -> Event:
        """Begin a chain of events, exactly when the caller's own transaction commits.

        Args:
            transaction: A connection to the database of `journal`, inside a transaction. The engine has been entered or
                checked before (`with engine:`), so that its tables are there.
            type: "order.placed".
            data: JSON.
            key: Events of one key keep their order; by default the new event's id.
            correlation_id: By default the new event's id.
        """
        event = self._begun(type, data, key, correlation_id)
        driver_of(self._journal).run(self._emitting(transaction, (event,)))
        return event

    async def emit_within_async(
        self,
        transaction: Any,
        type: str,
        data: Any = None,
        *,
        key: str | None = None,
        correlation_id: str | None = None,
    ) -> Event:
        """`emit_within` for a task."""
        event = self._begun(type, data, key, correlation_id)
        await driver_of(self._journal).run_async(self._emitting(transaction, (event,)))
        return event

    def handle(self, event: Event) -> bool:
        """Handle an event that came another way, such as from a broker; False when it was handled before.

        Raises:
            Exception: What the handler raised; nothing was changed. Acknowledge the event to its broker only when
                this returns.
        """
        self._must_be_plain()
        return run(self._handled_here(event), self._stopping)

    async def handle_async(self, event: Event) -> bool:
        """`handle` for a task."""
        return await run_async(self._handled_here(event), self._stopping)

    def _for_tasks(self) -> str | None:
        return next((type for type, each in self._handlers.items() if is_coroutine_function(each.function)), None)

    def _handled_here(self, event: Event) -> Flow[bool]:
        try:
            return (yield from self._handle(event))
        except Failed as failed:
            raise failed.error from None

    def _do_record(self, record: Record) -> Flow[None]:
        try:
            event = Event.decode(record.data)
        except (Damaged, WrongVersion) as error:
            raise Failed(error, for_good=True) from error
        if not (yield from self._handle(event)):
            self._counts.add("duplicates")

    def _handle(self, event: Event) -> Flow[bool]:
        handler = self._handlers.get(event.type) or self._handlers.get(_OTHERS)
        if handler is None:
            raise Failed(
                ConfigError(f"participant {self.name!r} has no handler of {event.type!r}; register one"), for_good=True
            )
        yield from self._prepare()
        return (yield from within(self._transaction, partial(self._reacting, event, handler.function)))

    def _reacting(self, event: Event, function: Callable[[Reaction], Any], transaction: Any) -> Flow[bool]:
        if not (yield Ask(self._journal, self._first_time(transaction, event))):
            return False
        reaction = Reaction(self, event, transaction)
        try:
            yield Call(function, (reaction,))
        except StepRefused as error:
            raise Failed(error, for_good=True) from error
        except Exception as error:
            raise Failed(error, for_good=isinstance(error, _TooManyHops)) from error
        if reaction._emitted:
            yield Ask(self._journal, self._emitting(transaction, tuple(reaction._emitted)))
        return True

    def _given_up(self, record: Record, reason: str) -> Flow[bool]:
        try:
            event = Event.decode(record.data)
        except (Damaged, WrongVersion):
            return False
        handler = self._handlers.get(event.type) or self._handlers.get(_OTHERS)
        if handler is None or handler.failed is None or event.hops >= self.options.max_hops:
            return False
        failure = followed(
            event, handler.failed, {"reason": reason, "event": event.type, "data": event.data},
            who=self.name, number=0, key=None, at_us=self._now_us(),
        )  # fmt: skip
        yield from within(self._transaction, partial(self._telling, event, failure))
        return True

    def _telling(self, event: Event, failure: Event, transaction: Any) -> Flow[None]:
        # Remembered like a success: the event must not be handled after others have been told that it failed.
        if (yield Ask(self._journal, self._first_time(transaction, event))):
            yield Ask(self._journal, self._emitting(transaction, (failure,)))

    def _prepare(self) -> Flow[None]:
        # SQLite's tables are made by the engine's own connection, and not while a transaction of ours has the file.
        if not self._is_prepared:
            yield Ask(self._journal, self._journal._do_last(outbox_of(self.name)))
            self._is_prepared = True

    def _first_time(self, transaction: Any, event: Event) -> Op[bool]:
        window = self.options.window
        return self._journal._do_first_time_within(transaction, f"inbox/{self.name}", event.id, window=window)

    def _emitting(self, transaction: Any, events: tuple[Event, ...]) -> Op[int]:
        data = (event.encode() for event in events)
        return self._journal._do_append_within(transaction, outbox_of(self.name), *data)

    def _begun(self, type: str, data: Any, key: str | None, correlation_id: str | None) -> Event:
        id = secrets.token_hex(16)
        return begun(type, data, id=id, key=key, correlation_id=correlation_id, at_us=self._now_us())

    def _followed(self, cause: Event, type: str, data: Any, number: int, key: str | None) -> Event:
        if cause.hops >= self.options.max_hops:
            raise _TooManyHops(
                f"event {cause.id} has {cause.hops} handlers behind it and max_hops is {self.options.max_hops}; see "
                f"whether {type!r} and {cause.type!r} call each other for ever, or raise it"
            )
        return followed(cause, type, data, who=self.name, number=number, key=key, at_us=self._now_us())


class _TooManyHops(ConfigError):
    """A chain of events that is likely to have no end."""
