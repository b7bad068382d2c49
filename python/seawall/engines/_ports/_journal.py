"""The port for what must not be forgotten: histories of sagas, outboxes, inboxes, work to be done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from seawall.engines._ports._checks import name_of, seconds_of, value_of, whole_of
from seawall.engines.operation import Op, awaitable, blocking
from seawall.errors import ConfigError, Conflict, LeaseLost

if TYPE_CHECKING:
    from seawall.engines._driver import Driver
    from seawall.engines._guarantees import Guarantees

MAX_RECORDS = 1_000


class Record(NamedTuple):
    """One record of a stream.

    Attributes:
        position: Grows within its stream, not always by one; never reused, also when the stream has been emptied.
    """

    stream: str
    position: int
    data: bytes


class Claim(NamedTuple):
    """The sole right to a stream, until `ttl` seconds after it was taken or renewed.

    Attributes:
        owner: Who has it, for people.
        token: Grows with every claim of the stream: whoever sees a higher one refuses a lower one.
        ttl: Seconds.
    """

    stream: str
    owner: str
    token: int
    ttl: float


class Claimed(NamedTuple):
    """A claim, and where the records stand that were appended with it.

    Attributes:
        claim: The sole right to the stream.
        position: Of the last record.
    """

    claim: Claim
    position: int


class Taken(NamedTuple):
    """A record that one worker has taken to work on, until `ttl` seconds later; then another may take it.

    Attributes:
        record: What was taken.
        owner: Who has it.
        token: Grows with every taking of this record; an acknowledgement with an older one is refused.
        attempt: How often it has been taken, this time included.
        ttl: Seconds.
    """

    record: Record
    owner: str
    token: int
    attempt: int
    ttl: float


class Journal(ABC):
    """Named streams of records, with claims on streams, work from streams, and a memory of messages seen.

    Made by `Engine.journal(namespace)`.

    Guarantees: an append is all or nothing and, once acknowledged, as durable as `guarantees` says. An append under a
    claim is refused in the same atomic step when the claim is not the newest of its stream or has expired, so that an
    owner who was paused cannot write. A change whose answer was lost raises `UnknownOutcome` and is not sent again.

    Units: seconds. Streams are text of 1 to 512 bytes in UTF-8, records at most a million bytes.

    Thread safety: yes. Every call has a twin `..._async` for tasks.

    For engines: subclass, and write the operations that are abstract here; arguments have been checked. Positions and
    tokens come from counters of the namespace, so that nothing has to be remembered of a stream that is empty.
    """

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        self._driver = driver
        self.namespace = namespace
        self.guarantees = guarantees

    # What an engine writes.

    @abstractmethod
    def _append(self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None) -> Op[int]:
        """Append all; the position of the last.

        Raises:
            Conflict: The last record there is is not at `expected` (0: there is none).
            LeaseLost: `claim` is not the stream's newest, or has expired.
        """

    @abstractmethod
    def _scan(self, stream: str, after: int, limit: int) -> Op[tuple[Record, ...]]:
        """At most `limit` records after a position, in order."""

    @abstractmethod
    def _last(self, stream: str) -> Op[int]:
        """The position of the last record there is; 0 when there is none."""

    @abstractmethod
    def _streams(self, prefix: str, after: str, limit: int, unclaimed: bool) -> Op[tuple[str, ...]]:
        """Names after a name, in order of code points, of streams that have records; or of those nobody claims."""

    @abstractmethod
    def _trim(self, stream: str, through: int) -> Op[int]:
        """Forget the records up to a position, taken or not; how many there were."""

    @abstractmethod
    def _claim(self, stream: str, owner: str, ttl: float) -> Op[Claim | None]:
        """Claim a stream that nobody claims at present, existing or not; None when somebody does, even `owner`."""

    @abstractmethod
    def _renew(self, claim: Claim) -> Op[Claim]:
        """Full time again for a claim that is current; else LeaseLost."""

    @abstractmethod
    def _release(self, claim: Claim) -> Op[bool]:
        """End a claim that is current; else False. Tokens go on."""

    @abstractmethod
    def _take(self, stream: str, owner: str, ttl: float, limit: int) -> Op[tuple[Taken, ...]]:
        """Take the oldest records that are neither acknowledged nor taken at present."""

    @abstractmethod
    def _acknowledge(self, taken: Taken) -> Op[None]:
        """Remove a record that was worked on; LeaseLost when another has taken it since, or the time has passed."""

    @abstractmethod
    def _give_back(self, taken: Taken, delay: float) -> Op[bool]:
        """Let others take it, after `delay`; False when another has taken it since."""

    @abstractmethod
    def _first_time(self, inbox: str, message: str, window: float) -> Op[bool]:
        """Remember a message for `window` seconds; False when it was remembered already (its time is not prolonged)."""

    @abstractmethod
    def _forget(self, inbox: str, message: str) -> Op[bool]:
        """Forget a message, so that it may come again; False when it was not remembered."""

    def _claim_and_append(  # noqa: PLR0917 -- as engines are asked
        self, stream: str, owner: str, ttl: float, records: tuple[bytes, ...], expected: int | None, unless: str | None
    ) -> Op[Claimed | None]:
        """`_claim`, then `_append` under that claim; engines that can do both in one step write their own."""
        claim = yield from self._claim(stream, owner, ttl)
        if claim is None:
            return None
        try:
            if unless is not None and (last := (yield from self._last(unless))):
                raise conflict(unless, 0, last)
            return Claimed(claim, (yield from self._append(stream, records, expected, claim)))
        except Conflict:
            yield from self._release(claim)
            raise

    def _conclude(self, claim: Claim, records: tuple[bytes, ...], into: str | None) -> Op[None]:
        """`_append`, move, `_release`, each repeatable; engines that can do all in one step write their own."""
        left = None if into is None else (yield from left_to_move(self, claim, records, into))
        if records:
            yield from self._append(claim.stream, records, None, claim)
        else:
            yield from self._renew(claim)
        if into is not None and left is not None:
            yield from move(self, claim, left, into)
        yield from self._release(claim)

    def _append_within(self, transaction: Any, stream: str, records: tuple[bytes, ...]) -> Op[int]:
        """`_append` inside the caller's transaction; for engines that declare `transactional`."""
        yield from ()
        raise self._cannot_join(transaction, f"stream {stream!r}, {len(records)} records")

    def _first_time_within(self, transaction: Any, inbox: str, message: str, window: float) -> Op[bool]:
        """`_first_time` inside the caller's transaction; for engines that declare `transactional`."""
        yield from ()
        raise self._cannot_join(transaction, f"inbox {inbox!r}, message {message!r}, {window:g} s")

    def _cannot_join(self, transaction: Any, what: str) -> ConfigError:
        return ConfigError(
            f"{self._driver.name} cannot join the transaction of {type(transaction).__name__} ({what}); use an engine "
            "that is transactional, see docs/reference/engines.md"
        )

    # What callers use.

    def _do_append(
        self, stream: str, *records: bytes, expected: int | None = None, claim: Claim | None = None
    ) -> Op[int]:
        """Append records to a stream, all or none; returns the position of the last.

        Args:
            stream: Begins to exist with its first record.
            records: 1 to 1,000, of at most a million bytes each.
            expected: The last position the caller knows of; 0 for an empty stream; None does not care.
            claim: The claim on this stream under which the caller writes.

        Raises:
            Conflict: Somebody has appended since `expected`.
            LeaseLost: The claim has expired or been taken over.
            UnknownOutcome: The answer was lost.
        """
        if not 1 <= len(records) <= MAX_RECORDS:
            raise ConfigError(f"records must be 1 to {MAX_RECORDS:,}, got {len(records):,}")
        if claim is not None and claim.stream != stream:
            raise ConfigError(f"the claim is for stream {claim.stream!r}, not for {stream!r}")
        data = tuple(value_of(record, "record") for record in records)
        position = None if expected is None else whole_of(expected, "expected")
        return (yield from self._append(name_of(stream, "stream"), data, position, claim))

    def _do_append_within(self, transaction: Any, stream: str, *records: bytes) -> Op[int]:
        """Append inside the caller's own transaction on the same database: an outbox.

        Guarantees: the records exist exactly when the transaction commits. Workers take them from the stream.

        Args:
            transaction: A connection inside a transaction: a sqlite3.Connection for SQLite.
            stream: Begins to exist with its first record.
            records: 1 to 1,000, of at most a million bytes each.

        Raises:
            ConfigError: The engine cannot join (`guarantees.transactional` says so), or there is no transaction.
        """
        if not 1 <= len(records) <= MAX_RECORDS:
            raise ConfigError(f"records must be 1 to {MAX_RECORDS:,}, got {len(records):,}")
        data = tuple(value_of(record, "record") for record in records)
        return (yield from self._append_within(transaction, name_of(stream, "stream"), data))

    def _do_first_time_within(
        self, transaction: Any, inbox: str, message: str, *, window: float | timedelta
    ) -> Op[bool]:
        """`first_time` inside the caller's own transaction on the same database: an inbox.

        Guarantees: the message is remembered exactly when the transaction commits, so its effects happen once.

        Raises:
            ConfigError: As for `append_within`.
        """
        seconds = seconds_of(window, "window", least=1.0)
        names = name_of(inbox, "inbox"), name_of(message, "message")
        return (yield from self._first_time_within(transaction, *names, seconds))

    def _do_scan(self, stream: str, *, after: int = 0, limit: int = 1_000) -> Op[tuple[Record, ...]]:
        """Records of a stream after a position, in order, at most `limit` (1 to 10,000)."""
        most = whole_of(limit, "limit", least=1, most=10_000)
        return (yield from self._scan(name_of(stream, "stream"), whole_of(after, "after"), most))

    def _do_last(self, stream: str) -> Op[int]:
        """The position of the last record in a stream; 0 when there is none."""
        return (yield from self._last(name_of(stream, "stream")))

    def _do_streams(
        self, prefix: str = "", *, after: str = "", limit: int = 1_000, unclaimed: bool = False
    ) -> Op[tuple[str, ...]]:
        """Names of streams that have records, in order.

        Args:
            prefix: Empty for all.
            after: Only names after this one: the last of the page before.
            limit: 1 to 10,000.
            unclaimed: Only those that nobody claims at present: what a recovering worker may claim.
        """
        names = name_of(prefix, "prefix", empty=True), name_of(after, "after", empty=True)
        return (yield from self._streams(*names, whole_of(limit, "limit", least=1, most=10_000), unclaimed))

    def _do_trim(self, stream: str, through: int) -> Op[int]:
        """Forget the records of a stream up to a position, that one included; returns how many there were."""
        return (yield from self._trim(name_of(stream, "stream"), whole_of(through, "through")))

    def _do_claim(self, stream: str, owner: str, ttl: float | timedelta) -> Op[Claim | None]:
        """The sole right to a stream for `ttl` seconds (0.1 to a day); None while somebody has it."""
        seconds = seconds_of(ttl, "ttl", least=0.1, most=86_400.0)
        return (yield from self._claim(name_of(stream, "stream"), name_of(owner, "owner"), seconds))

    def _do_renew(self, claim: Claim) -> Op[Claim]:
        """Full time again for a claim.

        Raises:
            LeaseLost: It has expired or been taken over.
        """
        return (yield from self._renew(claim))

    def _do_release(self, claim: Claim) -> Op[bool]:
        """Give a claim back; False when it was lost already."""
        return (yield from self._release(claim))

    def _do_claim_and_append(
        self,
        stream: str,
        owner: str,
        ttl: float | timedelta,
        *records: bytes,
        expected: int | None = None,
        unless: str | None = None,
    ) -> Op[Claimed | None]:
        """Claim a stream and append to it; None while somebody has it, and then nothing is appended.

        Guarantees: one atomic step in memory, SQLite, PostgreSQL and Redis. Elsewhere the claim comes first: whoever
        dies between leaves a claim that expires, and no record.

        Args:
            stream: Begins to exist with its first record.
            owner: For people.
            ttl: Seconds, 0.1 to a day.
            records: 1 to 1,000, of at most a million bytes each.
            expected: The last position the caller knows of; 0 for an empty stream; None does not care.
            unless: Another stream, which must be empty.

        Raises:
            Conflict: There is more in `stream` than expected, or something in `unless`; nothing was changed.
        """
        if not 1 <= len(records) <= MAX_RECORDS:
            raise ConfigError(f"records must be 1 to {MAX_RECORDS:,}, got {len(records):,}")
        data = tuple(value_of(record, "record") for record in records)
        seconds = seconds_of(ttl, "ttl", least=0.1, most=86_400.0)
        position = None if expected is None else whole_of(expected, "expected")
        other = None if unless is None else name_of(unless, "unless")
        names = name_of(stream, "stream"), name_of(owner, "owner")
        return (yield from self._claim_and_append(*names, seconds, data, position, other))

    def _do_conclude(self, claim: Claim, *records: bytes, into: str | None = None) -> Op[None]:
        """Append under a claim, give all records of the stream another stream's name, and end the claim.

        Guarantees: one atomic step in memory, SQLite, PostgreSQL and Redis. Elsewhere it is several, in this order:
        whoever dies between may claim the stream again and conclude without records; nothing is lost or double.

        Args:
            claim: Current.
            records: None to 1,000, of at most a million bytes each.
            into: An empty stream; None leaves the records where they are.

        Raises:
            LeaseLost: The claim has expired or been taken over; nothing was changed.
            Conflict: There is something in `into`; nothing was changed.
            UnknownOutcome: The answer was lost.
        """
        if len(records) > MAX_RECORDS:
            raise ConfigError(f"records must be at most {MAX_RECORDS:,}, got {len(records):,}")
        if into == claim.stream:
            raise ConfigError(f"into must be another stream than {into!r}, which is the claimed one")
        data = tuple(value_of(record, "record") for record in records)
        yield from self._conclude(claim, data, None if into is None else name_of(into, "into"))

    def _do_take(self, stream: str, owner: str, ttl: float | timedelta, *, limit: int = 1) -> Op[tuple[Taken, ...]]:
        """Take the oldest records nobody works on, at most `limit` (1 to 1,000), for `ttl` seconds (0.1 to a day).

        Guarantees: at least once: a record is taken again when its time has passed without an acknowledgement.
        """
        seconds = seconds_of(ttl, "ttl", least=0.1, most=86_400.0)
        most = whole_of(limit, "limit", least=1, most=MAX_RECORDS)
        return (yield from self._take(name_of(stream, "stream"), name_of(owner, "owner"), seconds, most))

    def _do_acknowledge(self, taken: Taken) -> Op[None]:
        """The work is done: the record is removed.

        Raises:
            LeaseLost: Its time has passed, or another has taken it since; it may be done twice.
        """
        return (yield from self._acknowledge(taken))

    def _do_give_back(self, taken: Taken, *, delay: float | timedelta = 0.0) -> Op[bool]:
        """Let others take it, `delay` seconds from now; False when another has it already."""
        return (yield from self._give_back(taken, seconds_of(delay, "delay", least=0.0, most=86_400.0)))

    def _do_first_time(self, inbox: str, message: str, *, window: float | timedelta) -> Op[bool]:
        """Whether a message comes for the first time within `window` seconds (1 to a year); atomic.

        Guarantees: of any number of callers with one message exactly one is told True, until the window has passed or
        the message is forgotten. A call whose answer was lost raises `UnknownOutcome`.
        """
        seconds = seconds_of(window, "window", least=1.0)
        return (yield from self._first_time(name_of(inbox, "inbox"), name_of(message, "message"), seconds))

    def _do_forget(self, inbox: str, message: str) -> Op[bool]:
        """Let a message come again: its handling failed; False when it was not remembered."""
        return (yield from self._forget(name_of(inbox, "inbox"), name_of(message, "message")))

    append, append_async = blocking(_do_append), awaitable(_do_append)
    append_within, append_within_async = blocking(_do_append_within), awaitable(_do_append_within)
    first_time_within, first_time_within_async = blocking(_do_first_time_within), awaitable(_do_first_time_within)
    scan, scan_async = blocking(_do_scan), awaitable(_do_scan)
    last, last_async = blocking(_do_last), awaitable(_do_last)
    streams, streams_async = blocking(_do_streams), awaitable(_do_streams)
    trim, trim_async = blocking(_do_trim), awaitable(_do_trim)
    claim, claim_async = blocking(_do_claim), awaitable(_do_claim)
    renew, renew_async = blocking(_do_renew), awaitable(_do_renew)
    release, release_async = blocking(_do_release), awaitable(_do_release)
    claim_and_append, claim_and_append_async = blocking(_do_claim_and_append), awaitable(_do_claim_and_append)
    conclude, conclude_async = blocking(_do_conclude), awaitable(_do_conclude)
    take, take_async = blocking(_do_take), awaitable(_do_take)
    acknowledge, acknowledge_async = blocking(_do_acknowledge), awaitable(_do_acknowledge)
    give_back, give_back_async = blocking(_do_give_back), awaitable(_do_give_back)
    first_time, first_time_async = blocking(_do_first_time), awaitable(_do_first_time)
    forget, forget_async = blocking(_do_forget), awaitable(_do_forget)


def claim_lost(claim: Claim) -> LeaseLost:
    """The error of a claim that is not current."""
    return LeaseLost(
        f"the claim of {claim.owner!r} on stream {claim.stream!r} (token {claim.token}) has expired or been taken "
        "over; nothing was written: stop this work, its new owner goes on with it"
    )


def taken_lost(taken: Taken) -> LeaseLost:
    """The error of a record that is no longer its taker's."""
    record = taken.record
    return LeaseLost(
        f"record {record.position} of stream {record.stream!r} is no longer {taken.owner!r}'s (token {taken.token}): "
        "its time has passed or another has taken it; it may be worked on twice, take records for longer"
    )


def conflict(stream: str, expected: int, actual: int | None) -> Conflict:
    """The error of an append that expected another last position."""
    return Conflict(
        f"the last position of stream {stream!r} is {'another' if actual is None else actual}, expected {expected}; "
        "nothing was appended: scan what came since and decide again",
        expected=expected,
        actual=actual,
    )


def all_records(journal: Journal, stream: str) -> Op[tuple[bytes, ...]]:
    """The data of a whole stream, read in pages."""
    data: list[bytes] = []
    after = 0
    while page := (yield from journal._scan(stream, after, MAX_RECORDS)):
        data += (record.data for record in page)
        after = page[-1].position
    return tuple(data)


def left_to_move(journal: Journal, claim: Claim, records: tuple[bytes, ...], into: str) -> Op[tuple[bytes, ...]]:
    """What a move that may have been begun before has still to bring; Conflict when `into` holds something else."""
    there = yield from all_records(journal, into)
    wanted = (*(yield from all_records(journal, claim.stream)), *records)
    if wanted[: len(there)] != there:
        raise conflict(into, 0, (yield from journal._last(into)))
    return wanted[len(there) :]


def move(journal: Journal, claim: Claim, left: tuple[bytes, ...], into: str) -> Op[None]:
    """Bring `left` to the end of `into` and empty the claimed stream; again from the start it makes no difference."""
    for first in range(0, len(left), MAX_RECORDS):
        yield from journal._append(into, left[first : first + MAX_RECORDS], None, None)
    yield from journal._trim(claim.stream, (yield from journal._last(claim.stream)))
