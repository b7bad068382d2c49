"""Lines of logs, kept beside the traces they belong to."""

from __future__ import annotations

import logging

from seawall.observe.logs._ids import ids_of
from seawall.observe.tracing._store import LogLine, Store

_LONGEST = 4_096


class StoreHandler(logging.Handler):
    """Keeps the latest lines in the store of a tracer, so that `store.trace(id)` shows what was logged in a trace.

    Args:
        store: `tracer.store`.
        level: The least level that is kept.

    Example:
        >>> from seawall.observe.tracing import Tracer
        >>> tracer = Tracer("shop")
        >>> log = logging.getLogger("kept"); log.propagate = False; log.addHandler(StoreHandler(tracer.store))
        >>> with tracer.span("charge") as span:
        ...     log.warning("the bank is slow")
        >>> tracer.store.trace(span.trace_id).logs[0].message
        'the bank is slow'
    """

    def __init__(self, store: Store, level: int | str = logging.NOTSET) -> None:
        super().__init__(level)
        self._store = store

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        try:
            ids = ids_of(record)
            message = record.getMessage()[:_LONGEST]
            self._store.log(LogLine(record.created, record.levelname, record.name, message, *ids))
        except Exception:  # noqa: BLE001 -- as every handler: a line that cannot be kept fails nobody
            self.handleError(record)
