"""What a person may do to a transaction, by a record of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from seawall.distributed.transactions._kinds import RESOLVED, kind_of
from seawall.distributed.transactions._owned import History, Owned
from seawall.engines.operation import Op
from seawall.errors import ConfigError, TransactionBusy, TransactionError, TransactionUnknown

if TYPE_CHECKING:
    from seawall.distributed.transactions._log import TransactionLog

Order = Literal["park", "resolve", "compensate", "retry"]
ORDERS: tuple[Order, ...] = ("park", "resolve", "compensate", "retry")


def give(log: TransactionLog, kind: str, id: str, what: Order, *, by: str, why: str) -> Op[History]:
    """`TransactionLog.order`."""
    reader = kind_of(kind)
    if reader is None or what not in ORDERS:
        raise ConfigError(
            f"order must be one of {', '.join(ORDERS)} for a kind that is known, got {what!r} for {kind!r}"
        )
    owned = yield from log._do_own(kind, id)
    if owned is None:
        raise TransactionUnknown(f"there is no {kind} {id!r}, or it has been pruned", kind=kind, id=id)
    if isinstance(owned, History) and not owned.finished:
        raise TransactionBusy(f"{kind} {id!r} is being worked on at present; try again later", kind=kind, id=id)
    if refusal := reader.order(owned.entries, what):
        if isinstance(owned, Owned):
            yield from log._do_let_go(owned)
        raise TransactionError(f"cannot {what} {kind} {id!r}: {refusal}", kind=kind, id=id)
    assert isinstance(owned, Owned)
    ordered = log.entry("ordered", to=what, by=by, why=why)
    if what == "resolve":
        yield from log._do_finish(owned, ordered, log.entry("finished", state=RESOLVED))
    else:
        yield from log._do_leave(owned, ordered)
    return owned.history()
