"""The Journal port: records, claims, takings and messages seen in one stream, so that a condition can be about two."""

from __future__ import annotations

from functools import partial

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Claim, Journal, Record, Taken
from seawall.engines._ports._journal import claim_lost
from seawall.engines.nats._claims import Claims
from seawall.engines.nats._inbox import Inbox
from seawall.engines.nats._records import Records
from seawall.engines.nats._stream import Stream
from seawall.engines.nats._work import Work
from seawall.engines.operation import Op, Send


class NatsJournal(Journal):
    """The port over one namespace of a server or cluster."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, stream: Stream) -> None:
        super().__init__(driver, namespace, guarantees)
        self._claims = Claims(stream)
        self._records = Records(stream, self._claims)
        self._work = Work(stream, self._records)
        self._inbox = Inbox(stream)

    def _append(self, stream: str, records: tuple[bytes, ...], expected: int | None, claim: Claim | None) -> Op[int]:
        step = partial(self._records.append, name=stream, records=records, expected=expected, claim=claim)
        position: int = yield Send(step)
        return position

    def _scan(self, stream: str, after: int, limit: int) -> Op[tuple[Record, ...]]:
        step = partial(self._records.scan, name=stream, after=after, limit=limit)
        records: tuple[Record, ...] = yield Send(step, again=True)
        return records

    def _last(self, stream: str) -> Op[int]:
        position: int = yield Send(partial(self._records.last, name=stream), again=True)
        return position

    def _streams(self, prefix: str, after: str, limit: int, unclaimed: bool) -> Op[tuple[str, ...]]:
        step = partial(self._records.streams, prefix=prefix, after=after, limit=limit, unclaimed=unclaimed)
        names: tuple[str, ...] = yield Send(step, again=True)
        return names

    def _trim(self, stream: str, through: int) -> Op[int]:
        count: int = yield Send(partial(self._work.trim, name=stream, through=through))
        return count

    def _claim(self, stream: str, owner: str, ttl: float) -> Op[Claim | None]:
        claim: Claim | None = yield Send(partial(self._claims.claim, name=stream, owner=owner, ttl=ttl))
        return claim

    def _renew(self, claim: Claim) -> Op[Claim]:
        # A second renewal makes no difference.
        if not (yield Send(partial(self._claims.renew, claim=claim), again=True)):
            raise claim_lost(claim)
        return claim

    def _release(self, claim: Claim) -> Op[bool]:
        done: bool = yield Send(partial(self._claims.release, claim=claim))
        return done

    def _take(self, stream: str, owner: str, ttl: float, limit: int) -> Op[tuple[Taken, ...]]:
        taken: tuple[Taken, ...] = yield Send(partial(self._work.take, name=stream, owner=owner, ttl=ttl, limit=limit))
        return taken

    def _acknowledge(self, taken: Taken) -> Op[None]:
        yield Send(partial(self._work.acknowledge, taken=taken))

    def _give_back(self, taken: Taken, delay: float) -> Op[bool]:
        done: bool = yield Send(partial(self._work.give_back, taken=taken, delay=delay))
        return done

    def _first_time(self, inbox: str, message: str, window: float) -> Op[bool]:
        first: bool = yield Send(partial(self._inbox.first_time, inbox=inbox, message=message, window=window))
        return first

    def _forget(self, inbox: str, message: str) -> Op[bool]:
        known: bool = yield Send(partial(self._inbox.forget, inbox=inbox, message=message))
        return known
