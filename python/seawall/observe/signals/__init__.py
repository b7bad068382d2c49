"""RED, USE and the four golden signals of an instrumented service, from a recording of its metrics."""

from seawall.observe.signals._readings import Golden, Latency, Red, Use, golden, red, use
from seawall.observe.signals._service import Busy, Resource, Service, Share
from seawall.observe.signals._table import table

__all__ = ["Busy", "Golden", "Latency", "Red", "Resource", "Service", "Share", "Use", "golden", "red", "table", "use"]
