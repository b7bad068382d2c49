"""Bulkheads: a bound on how many calls are in flight at once, and on how many wait for their turn."""

from seawall.guard.bulkhead._bulkhead import Bulkhead
from seawall.guard.bulkhead._events import BulkheadRefused, BulkheadStats
from seawall.guard.bulkhead._options import BulkheadOptions, ThreadBulkheadOptions
from seawall.guard.bulkhead._thread_bulkhead import ThreadBulkhead

__all__ = [
    "Bulkhead",
    "BulkheadOptions",
    "BulkheadRefused",
    "BulkheadStats",
    "ThreadBulkhead",
    "ThreadBulkheadOptions",
]
