"""Leases of the cluster: whole seconds, and no shorter than its elections allow."""

from __future__ import annotations

from math import ceil
from typing import Any

from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._session import ask
from seawall.engines.operation import Op, Send
from seawall.errors import LeaseLost

_LARGEST = (1 << 63) - 1


def grant(ttl: float) -> Op[tuple[int, float]]:
    """A new lease: its number, and the seconds that the server has made of `ttl`."""
    granted = yield Send(ask("Lease/LeaseGrant", m.Grant(ttl=ceil(ttl)), m.Granted))
    return granted.id, float(granted.ttl)


def keep_alive(lease: int) -> Op[float | None]:
    """Full time again; how long that is, or None when it has ended."""
    # A second sign of life makes no difference.
    kept: Any = yield Send(ask("Lease/LeaseKeepAlive", m.KeepAlive(id=lease), m.KeptAlive), again=True)
    return float(kept.ttl) if kept.ttl > 0 else None


def revoke(lease: int) -> Op[bool]:
    """End a lease and its keys; False when it had ended."""
    try:
        yield Send(ask("Lease/LeaseRevoke", m.Revoke(id=lease), m.Revoked))
    except LeaseLost:
        return False
    return True


def number_of(lease: str) -> int | None:
    """The number in the name of a lease; None when no lease has such a name."""
    if not (lease.isascii() and lease.isdecimal()):
        return None
    number = int(lease)
    return number if 0 < number <= _LARGEST else None
