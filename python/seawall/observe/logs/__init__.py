"""Logs that know their trace: ids in every line, JSON lines, limited and sampled loggers, lines kept beside traces."""

from seawall.observe.logs._handler import StoreHandler
from seawall.observe.logs._ids import IdsFilter, add_ids
from seawall.observe.logs._json import JsonFormatter
from seawall.observe.logs._limited import LimitedFilter, LimitedProcessor
from seawall.observe.logs._sampled import SampledFilter

__all__ = [
    "IdsFilter",
    "JsonFormatter",
    "LimitedFilter",
    "LimitedProcessor",
    "SampledFilter",
    "StoreHandler",
    "add_ids",
]
