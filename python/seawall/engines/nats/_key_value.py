"""The KeyValue port: keys and leases as messages of one stream, whose sequences are the revisions."""

from __future__ import annotations

from functools import partial

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Batch, Entry, Feed, KeyValue, Lease, Listing, Swap
from seawall.engines.nats._follow import Follower, Following
from seawall.engines.nats._keys import Keys
from seawall.engines.nats._stream import Stream
from seawall.engines.nats._trim import History
from seawall.engines.operation import Op, Send
from seawall.errors import ConfigError, DeadlineExceeded, EngineError


class NatsKeyValue(KeyValue):
    """The port over one namespace of a server or cluster."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, stream: Stream, history: int) -> None:
        super().__init__(driver, namespace, guarantees)
        self._keys = Keys(stream)
        self._history = History(stream, history)
        self._follower = Follower(self._keys, self._history)

    def _get(self, key: str) -> Op[Entry | None]:
        found: Entry | None = yield Send(partial(self._keys.get, key=key), again=True)
        return found

    def _put(self, key: str, value: bytes, lease: str | None, expected: int | None) -> Op[Swap]:
        swap: Swap = yield Send(partial(self._keys.put, key=key, value=value, lease=lease, expected=expected))
        yield from self._tend(swap)
        return swap

    def _delete(self, key: str, expected: int | None) -> Op[Swap]:
        swap: Swap = yield Send(partial(self._keys.delete, key=key, expected=expected))
        yield from self._tend(swap)
        return swap

    def _tend(self, swap: Swap) -> Op[None]:
        """Look after the history, when it is due; what goes wrong there is nothing to who made the change."""
        if swap.done and self._history.is_due(swap.revision):
            try:
                yield Send(self._history.trim, within=1.0, retry=False)
                yield Send(self._keys.end_leases, within=1.0, retry=False)
            except (EngineError, DeadlineExceeded, ConfigError):
                return

    def _list(self, prefix: str, limit: int) -> Op[Listing]:
        listing: Listing = yield Send(partial(self._keys.listed, prefix=prefix, limit=limit), again=True)
        return listing

    def _grant(self, ttl: float) -> Op[Lease]:
        lease: Lease = yield Send(partial(self._keys.grant, ttl=ttl), again=True)
        return lease

    def _keep_alive(self, lease: str) -> Op[Lease]:
        # A second sign of life makes no difference.
        kept: Lease = yield Send(partial(self._keys.keep_alive, lease=lease), again=True)
        return kept

    def _revoke(self, lease: str) -> Op[bool]:
        ended: bool = yield Send(partial(self._keys.revoke, lease=lease))
        return ended

    def _changes(self, feed: Feed, wait: float) -> Op[Batch]:
        batch: Batch = yield Send(partial(self._follower.changes, feed=feed, wait=wait), again=True, extra=wait)
        return batch

    def _unfollow(self, feed: Feed) -> Op[None]:
        here, feed.handle = feed.handle, None
        if isinstance(here, Following) and here.link.is_open:
            try:
                yield Send(partial(self._follower.end, here=here), within=1.0, retry=False)
            except (EngineError, DeadlineExceeded, ConfigError):
                return
