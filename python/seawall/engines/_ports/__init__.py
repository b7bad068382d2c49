"""The three ports: what every engine looks like from above, and what an engine has to write below."""

from seawall.engines._ports._algorithms import State, shifted
from seawall.engines._ports._changes import Batch, Change, Deleted, Event, Feed, Put, Resync
from seawall.engines._ports._checks import MAX_KEY_BYTES, MAX_VALUE_BYTES
from seawall.engines._ports._journal import Claim, Claimed, Journal, Record, Taken
from seawall.engines._ports._key_value import ABSENT, Enlisted, Entry, KeyValue, Lease, Listing, Swap
from seawall.engines._ports._meter import Meter
from seawall.engines._ports._rules import Reading, Rule, decide

__all__ = [
    "ABSENT",
    "MAX_KEY_BYTES",
    "MAX_VALUE_BYTES",
    "Batch",
    "Change",
    "Claim",
    "Claimed",
    "Deleted",
    "Enlisted",
    "Entry",
    "Event",
    "Feed",
    "Journal",
    "KeyValue",
    "Lease",
    "Listing",
    "Meter",
    "Put",
    "Reading",
    "Record",
    "Resync",
    "Rule",
    "State",
    "Swap",
    "Taken",
    "decide",
    "shifted",
]
