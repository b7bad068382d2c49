"""Fenced keys on any engine's KeyValue port."""

from __future__ import annotations

import struct
from typing import NamedTuple

from seawall.distributed._holding import FencedHeld
from seawall.distributed.locks._tokens import stale, token_of
from seawall.engines import ABSENT, Entry, KeyValue
from seawall.engines.operation import Op, awaitable, blocking, driver_of
from seawall.errors import Conflict, Damaged, UnknownOutcome

_HEADER = struct.Struct(">2sQ?")
_MARK = b"F1"


class _Seen(NamedTuple):
    revision: int
    token: int
    value: bytes | None


class FencedKeyValue:
    """Keys that only the newest token may write: each remembers the token of its last write, checked with it.

    Guarantees: the check and the write are one atomic step, a compare-and-set: once a key was written with a token, no
    smaller one writes it. A deleted key remembers, too. A write whose answer was lost is looked for, and made again if
    it was not made: it is the same, by the same holder.

    Thread safety: yes.

    Cost: two round trips for a write. Each value has 11 bytes more.

    Args:
        key_value: Any engine's; its keys are to be written through a fence only.

    Example:
        >>> from seawall.engines import open_engine
        >>> from seawall.distributed.locks import FencedKeyValue, FencedLock
        >>> engine = open_engine("memory://")
        >>> accounts = FencedKeyValue(engine.key_value("accounts"))
        >>> with FencedLock(engine, "accounts") as held:
        ...     _ = accounts.put("alice", b"100", held)
        >>> accounts.get("alice").value
        b'100'
    """

    def __init__(self, key_value: KeyValue) -> None:
        self._key_value = key_value
        self._driver = driver_of(key_value)

    def _do_get(self, key: str) -> Op[Entry | None]:
        """The entry of a key, with the value that was put; or None."""
        seen = yield from self._seen(key)
        return None if seen.value is None else Entry(key, seen.value, seen.revision)

    def _do_put(self, key: str, value: bytes, held: FencedHeld | int) -> Op[int]:
        """Write a key if it has seen no newer token; returns the revision of the change.

        Args:
            key: As for KeyValue.
            value: At most 999,989 bytes.
            held: What a lock, semaphore or election gave; or its token.

        Raises:
            LockLost: It has, or it is not held any more; nothing was written.
        """
        return (yield from self._write(key, bytes(value), held)).revision

    def _do_delete(self, key: str, held: FencedHeld | int) -> Op[bool]:
        """Delete a key if it has seen no newer token; whether there was one.

        Raises:
            LockLost: It has, or it is not held any more; nothing was deleted.
        """
        return (yield from self._write(key, None, held)).value is not None

    get, get_async = blocking(_do_get), awaitable(_do_get)
    put, put_async = blocking(_do_put), awaitable(_do_put)
    delete, delete_async = blocking(_do_delete), awaitable(_do_delete)

    def _write(self, key: str, value: bytes | None, held: FencedHeld | int) -> Op[_Seen]:
        """The revision of the write, and what was there before."""
        token = token_of(held)
        data = _HEADER.pack(_MARK, token, value is None) + (value or b"")
        asked, existed = 0, None
        while True:
            before = yield from self._seen(key)
            existed = before.value if existed is None else existed
            if before.token > token:
                raise stale(held, token, key, before.token)
            asked += 1
            try:
                swap = yield from self._key_value._do_compare_and_set(key, data, before.revision)
            except (UnknownOutcome, Conflict):
                if asked == 3:
                    raise
                continue
            if swap:
                return _Seen(swap.revision, token, existed)

    def _seen(self, key: str) -> Op[_Seen]:
        entry = yield from self._key_value._do_get(key)
        if entry is None:
            return _Seen(ABSENT, 0, None)
        if not entry.value.startswith(_MARK) or len(entry.value) < _HEADER.size:
            raise Damaged(f"key {key!r} was not written through a fence; write it through one only")
        _, token, deleted = _HEADER.unpack_from(entry.value)
        return _Seen(entry.revision, token, None if deleted else entry.value[_HEADER.size :])

    def __repr__(self) -> str:
        return f"<FencedKeyValue {self._key_value.namespace!r} on {self._driver.name}>"
