"""Transactions over several services: a durable log, sagas, and what repairs them."""

from seawall.distributed.transactions._keeper import Keeper
from seawall.distributed.transactions._kinds import PARKED, RESOLVED, Ends, Kind, Summary, kind_of, kinds
from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._orders import Order
from seawall.distributed.transactions._owned import History, Key, Owned
from seawall.distributed.transactions._records import LogEntry, as_json

__all__ = [
    "PARKED",
    "RESOLVED",
    "Ends",
    "History",
    "Keeper",
    "Key",
    "Kind",
    "LogEntry",
    "Order",
    "Owned",
    "Summary",
    "TransactionLog",
    "as_json",
    "kind_of",
    "kinds",
]
