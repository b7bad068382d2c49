"""Keys in etcd, and the parts that transactions are made of.

All keys begin with `seawall/NAMESPACE/`; a namespace has no slash in it.
"""

from __future__ import annotations

from typing import Any

from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._session import ask
from seawall.engines.etcd._watching import STRIDE
from seawall.engines.operation import Send


def base_of(namespace: str, kind: str) -> bytes:
    """What the keys of one kind begin with."""
    return f"seawall/{namespace}/{kind}/".encode()


def end_of(prefix: bytes) -> bytes:
    """The first key after all that begin with a prefix; text in UTF-8 has no byte that could not be raised."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))


def read(key: bytes, end: bytes = b"", **how: Any) -> Any:
    """Read a key, or all up to an end."""
    return m.Op(range=m.Range(key=key, range_end=end, **how))


def write(key: bytes, value: bytes, lease: int = 0) -> Any:
    """Write a key."""
    return m.Op(put=m.Put(key=key, value=value, lease=lease))


def remove(key: bytes, end: bytes = b"") -> Any:
    """Delete a key, or all up to an end."""
    return m.Op(delete=m.Delete(key=key, range_end=end))


def at(key: bytes, revision: int) -> Any:
    """The condition that a key was last changed at a revision of etcd's; 0: that it is not there."""
    return m.Compare(result=m.EQUAL, target=m.MODIFIED, key=key, mod_revision=revision)


def change(success: list[Any], *, when: list[Any] | None = None, failure: list[Any] | None = None) -> Send:
    """A transaction that changes something."""
    return Send(ask("KV/Txn", m.Txn(compare=when, success=success, failure=failure), m.TxnDone))


def find(key: bytes, end: bytes = b"", **how: Any) -> Send:
    """One read. Not as a transaction: a server that is full refuses those, whatever is in them."""
    return Send(ask("KV/Range", m.Range(key=key, range_end=end, **how), m.Ranged), again=True)


def drop(key: bytes) -> Send:
    """Delete a key without a condition, which a server that is full allows."""
    return Send(ask("KV/DeleteRange", m.Delete(key=key), m.Deleted))


def look(*ranges: Any) -> Send:
    """Several reads at one revision."""
    return Send(ask("KV/Txn", m.Txn(success=ranges), m.TxnDone), again=True)


def revision_of(reply: Any) -> int:
    """Our revision of an answer."""
    return int(reply.header.revision) * STRIDE


def only(ranged: Any) -> Any | None:
    """What a read of one key has found."""
    return ranged.kvs[0] if ranged.kvs else None


def first_of(reply: Any, place: int = 0) -> Any | None:
    """What one read of a transaction has found."""
    return only(reply.responses[place].ranged)
