"""The log all kinds of transactions share: one stream for each transaction, written only by who owns it."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol

from seawall.clock import WallClock, to_ns
from seawall.distributed.transactions._kinds import kinds
from seawall.distributed.transactions._orders import Order, give
from seawall.distributed.transactions._owned import History, Key, Owned
from seawall.distributed.transactions._records import LogEntry, decode, encode
from seawall.engines import Engine, Record
from seawall.engines.operation import Afresh, Op, awaitable, blocking, driver_of
from seawall.errors import ConfigError, Conflict, LeaseLost, TransactionExists, UnknownOutcome

_TRIES = 3
_PAGE = 1_000
_LONGEST_ID = 256
PLAN = "plan"


class Wall(Protocol):
    """Whatever tells Unix time in nanoseconds."""

    def now_ns(self) -> int:
        """Nanoseconds."""


class TransactionLog:
    """Records of transactions on a Journal; every write is checked against the claim of its writer.

    Guarantees: what was written is as durable as the engine says, before the call returns. Of any number of callers
    with one id exactly one begins the transaction. Who lost the claim cannot write. A write whose answer was lost is
    looked for, and written again only where it is not there.

    Every operation has a sync face, an `..._async` twin, and as `_do_...` the generator that composes.

    Args:
        engine: Where it is kept; an open engine with a Journal.
        namespace: Transactions in one do not see those in another.
        owner: Who writes, for people; by default host, process and a number by chance.
        ttl: How long a claim lives when it is not renewed, in seconds, 0.1 to 86,400: so long a transaction waits
            after its owner was killed.
        wall: What stamps the records.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        namespace: str = "transactions",
        owner: str | None = None,
        ttl: float | timedelta = 30.0,
        wall: Wall | None = None,
    ) -> None:
        self.engine = engine
        self.journal = engine.journal(namespace)
        self._driver = driver_of(self.journal)
        self.owner = owner or f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self.ttl = to_ns(ttl, "ttl", least_ns=100_000_000) / 1e9
        self._wall = wall or WallClock()

    def now_us(self) -> int:
        """Unix time in microseconds."""
        return self._wall.now_ns() // 1_000

    def entry(self, what: str, /, **data: Any) -> LogEntry:
        """A record stamped now."""
        return LogEntry(what, self.now_us(), data)

    def _do_order(self, kind: str, id: str, what: Order, *, by: str, why: str) -> Op[History]:
        """Write what a person has decided about a transaction that nobody owns at present; it is not run by this.

        Args:
            kind: One of `kinds()`.
            id: Of the transaction.
            what: "park": nobody goes on with it. "resolve": it is finished as it is, somebody has seen to it.
                "compensate": it goes back. "retry": it goes on where it was parked, with all its attempts again.
            by: Who decides, for the history.
            why: For the history.

        Raises:
            TransactionUnknown: There is no such transaction.
            TransactionBusy: Somebody owns it at present.
            TransactionError: The decision makes no sense where it stands; the message says why.
        """
        return (yield from give(self, kind, id, what, by=by, why=why))

    # Whom a transaction belongs to.

    def _do_begin(self, kind: str, id: str, *entries: LogEntry) -> Op[Owned | History]:
        """Begin a transaction and own it; or read the one that has been begun with this id and the same beginning.

        Guarantees: one durable write. The records of the beginning and of the first intent may go together.

        Args:
            kind: One of `kinds()`.
            id: 1 to 256 bytes, unique in its kind.
            entries: The first is "begun"; its data say what was asked for, and decide whether two are the same, all
                but what is under `PLAN` ("plan"): how it is done, which may change with the code.

        Raises:
            TransactionExists: The id is taken, and was begun with other data.
            UnknownOutcome: The answer was lost; begin again with the same id.
        """
        key = Key(kind, id_of(id))
        data = tuple(encode(entry) for entry in entries)
        stream, done = open_stream(key), done_stream(key)
        for _ in range(_TRIES):
            try:
                claimed = yield from self.journal._do_claim_and_append(
                    stream, self.owner, self.ttl, *data, expected=0, unless=done
                )
            except Conflict:
                claimed = None
            if claimed is not None:
                return Owned(key, claimed.claim, entries, claimed.position, is_new=True)
            if (there := (yield from self._do_load(kind, id))) is not None:
                return _the_same(there, entries[0])
        raise Conflict(f"{kind} {id!r} was claimed or pruned again and again while it was to be begun; try again")

    def _do_own(self, kind: str, id: str) -> Op[Owned | History | None]:
        """Take over an unfinished transaction that nobody owns.

        Returns:
            Owned; or its History where it is finished or somebody else has it (`finished` tells); None: there is none.
        """
        key = Key(kind, id_of(id))
        claim = yield from self.journal._do_claim(open_stream(key), self.owner, self.ttl)
        if claim is None:
            return (yield from self._do_load(kind, id))
        records = yield from self._records(open_stream(key))
        if not records:
            yield from self.journal._do_release(claim)
            return (yield from self._do_load(kind, id))
        history = _history(key, records)
        owned = Owned(key, claim, history.entries, history.last)
        if not history.finished:
            return owned
        # Its last owner died in the middle of concluding, on an engine that needs several steps for it.
        yield from self._conclude(owned, ())
        return owned.history()

    def _do_keep(self, owned: Owned) -> Op[None]:
        """Full time again for an owner.

        Raises:
            LeaseLost: Too late; `owned.lost` is set.
        """
        try:
            yield from self.journal._do_renew(owned.claim)
        except LeaseLost as error:
            owned.lost = error
            raise

    def _do_let_go(self, owned: Owned) -> Op[bool]:
        """Let others take it over at once; False when it was lost already."""
        return (yield from self.journal._do_release(owned.claim))

    # What is written.

    def _do_write(self, owned: Owned, *entries: LogEntry) -> Op[None]:
        """Append records, all or none; durable when it returns.

        Raises:
            LeaseLost: Another owns it by now; nothing was written.
            UnknownOutcome: It could not be found out whether they were written; let go and let recovery read.
        """
        data = tuple(encode(entry) for entry in entries)
        journal, stream, unknown = self.journal, owned.claim.stream, None
        for _ in range(_TRIES):
            try:
                last = yield from journal._do_append(stream, *data, expected=owned.last, claim=owned.claim)
            except LeaseLost as error:
                owned.lost = error
                raise
            except (UnknownOutcome, Conflict) as error:
                unknown = error
                last = yield from self._find(owned, data, error)
            if last:
                owned.entries += entries
                owned.last = last
                return
        assert unknown is not None
        raise unknown

    def _do_finish(self, owned: Owned, *entries: LogEntry) -> Op[None]:
        """Append the last records and give the transaction up for good; it is kept until it is pruned.

        Raises:
            LeaseLost: Another owns it by now; nothing was written.
            UnknownOutcome: It could not be found out whether they were written; recovery will.
        """
        final = (*entries[:-1], entries[-1]._replace(final=True))
        yield from self._conclude(owned, final)

    def _do_leave(self, owned: Owned, *entries: LogEntry) -> Op[None]:
        """Append records, if any, and let others take it over at once, in one write.

        Raises:
            LeaseLost: Another owns it by now; nothing was written.
            UnknownOutcome: The answer was lost.
        """
        yield from self.journal._do_conclude(owned.claim, *(encode(entry) for entry in entries))
        owned.entries += entries

    def _conclude(self, owned: Owned, entries: tuple[LogEntry, ...]) -> Op[None]:
        data = tuple(encode(entry) for entry in entries)
        done = done_stream(owned.key)
        try:
            yield from self.journal._do_conclude(owned.claim, *data, into=done)
        except UnknownOutcome:
            records = yield from self._records(done)
            if not records or not decode(records[-1].data, done).final:
                raise
        owned.entries += entries

    def _find(self, owned: Owned, data: tuple[bytes, ...], error: Exception) -> Op[int]:
        found = yield from self.journal._do_scan(owned.claim.stream, after=owned.last, limit=len(data) + 1)
        if not found:
            return 0
        if tuple(record.data for record in found) == data:
            return found[-1].position
        raise LeaseLost(
            f"{owned.key.kind} {owned.key.id!r} has records that its owner {owned.claim.owner!r} did not write; stop "
            "this work, its new owner goes on with it"
        ) from error

    # What is read.

    def _do_load(self, kind: str, id: str) -> Op[History | None]:
        """All records of a transaction, whoever owns it; None when there is none."""
        key = Key(kind, id_of(id))
        for stream in (open_stream(key), done_stream(key), open_stream(key)):
            if records := (yield from self._records(stream)):
                return _history(key, records)
        return None

    def _do_keys(
        self,
        kind: str | None = None,
        *,
        finished: bool = False,
        unowned: bool = False,
        after: str = "",
        limit: int = _PAGE,
    ) -> Op[tuple[Key, ...]]:
        """Which transactions there are, a page at a time, in order of kind and id.

        Args:
            kind: None for all.
            finished: Those that are over, in place of those that are not.
            unowned: Only those nobody has at present: what recovery may take over, and what is parked.
            after: The id after which to go on; needs `kind`.
            limit: 1 to 10,000.
        """
        if after and kind is None:
            raise ConfigError(f"after is {after!r} but kind is None; page through one kind at a time")
        found: list[Key] = []
        for name in kinds() if kind is None else (kind,):
            prefix = f"{'done' if finished else 'open'}/{name}/"
            streams = yield from self.journal._do_streams(
                prefix, after=prefix + after if after else "", limit=max(1, limit - len(found)), unclaimed=unowned
            )
            found += (Key(name, stream.removeprefix(prefix)) for stream in streams)
            if len(found) >= limit:
                break
        return tuple(found[:limit])

    def _do_prune(self, kind: str, *, older: float | timedelta, limit: int = 10_000) -> Op[int]:
        """Forget finished transactions whose last record is `older` than so many seconds; returns how many.

        Their ids may be begun again. Cost: all finished ones are read.

        Args:
            kind: One of `kinds()`.
            older: Seconds, 0 to a year.
            limit: At most so many.
        """
        before_us = self.now_us() - to_ns(older, "older", least_ns=0) // 1_000
        count, after = 0, ""
        while keys := (yield from self._do_keys(kind, finished=True, after=after, limit=_PAGE)):
            for key in keys:
                yield Afresh()
                records = yield from self._records(done_stream(key))
                if records and decode(records[-1].data, done_stream(key)).at_us <= before_us:
                    yield from self.journal._do_trim(done_stream(key), records[-1].position)
                    count += 1
                    if count == limit:
                        return count
            after = keys[-1].id
        return count

    def _records(self, stream: str) -> Op[list[Record]]:
        records: list[Record] = []
        while page := (yield from self.journal._do_scan(stream, after=records[-1].position if records else 0)):
            records += page
            if len(page) < _PAGE:
                break
        return records

    begin, begin_async = blocking(_do_begin), awaitable(_do_begin)
    own, own_async = blocking(_do_own), awaitable(_do_own)
    keep, keep_async = blocking(_do_keep), awaitable(_do_keep)
    let_go, let_go_async = blocking(_do_let_go), awaitable(_do_let_go)
    write, write_async = blocking(_do_write), awaitable(_do_write)
    leave, leave_async = blocking(_do_leave), awaitable(_do_leave)
    finish, finish_async = blocking(_do_finish), awaitable(_do_finish)
    order, order_async = blocking(_do_order), awaitable(_do_order)
    load, load_async = blocking(_do_load), awaitable(_do_load)
    keys, keys_async = blocking(_do_keys), awaitable(_do_keys)
    prune, prune_async = blocking(_do_prune), awaitable(_do_prune)


def id_of(value: Any) -> str:
    """An id of a transaction: text of 1 to 256 bytes without control characters."""
    if (
        not isinstance(value, str)
        or not value.isprintable()
        or not 1 <= len(value.encode(errors="replace")) <= _LONGEST_ID
    ):
        raise ConfigError(f"id must be text of 1 to {_LONGEST_ID} bytes without control characters, got {value!r}")
    return value


def open_stream(key: Key) -> str:
    """Where an unfinished transaction is written."""
    return f"open/{key.kind}/{key.id}"


def done_stream(key: Key) -> str:
    """Where a finished one is kept."""
    return f"done/{key.kind}/{key.id}"


def _history(key: Key, records: Iterable[Record]) -> History:
    kept = list(records)
    entries = tuple(decode(record.data, record.stream) for record in kept)
    return History(key, entries, kept[-1].position, entries[-1].final)


def _the_same(there: History, wanted: LogEntry) -> History:
    before, now = _asked(there.entries[0]), _asked(wanted)
    if before != now:
        raise TransactionExists(
            f"{there.key.kind} {there.key.id!r} has been begun with {_short(before)}, not with {_short(now)}; nothing "
            "was begun: use another id",
            kind=there.key.kind,
            id=there.key.id,
        )
    return there


def _asked(begun: LogEntry) -> dict[str, Any]:
    return {name: value for name, value in begun.data.items() if name != PLAN}


def _short(data: Any) -> str:
    text = repr(dict(data))
    return text if len(text) <= 200 else f"{text[:197]}..."
