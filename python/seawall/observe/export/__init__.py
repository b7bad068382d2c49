"""Exports of metrics: Prometheus and OpenMetrics, native histograms, OTLP, StatsD, JSON, and Grafana dashboards."""

from seawall.observe.export._apps import metrics_app, metrics_wsgi
from seawall.observe.export._collector import SeawallCollector
from seawall.observe.export._grafana import to_grafana
from seawall.observe.export._json import to_json
from seawall.observe.export._negotiate import negotiate
from seawall.observe.export._otlp import Otlp, OtlpStats
from seawall.observe.export._otlp_message import to_otlp
from seawall.observe.export._protobuf import to_protobuf
from seawall.observe.export._pusher import Pusher
from seawall.observe.export._registry import from_registry
from seawall.observe.export._sdk import SdkExport
from seawall.observe.export._statsd import Pushed, Statsd
from seawall.observe.export._text import to_openmetrics, to_prometheus

__all__ = [
    "Otlp",
    "OtlpStats",
    "Pushed",
    "Pusher",
    "SdkExport",
    "SeawallCollector",
    "Statsd",
    "from_registry",
    "metrics_app",
    "metrics_wsgi",
    "negotiate",
    "to_grafana",
    "to_json",
    "to_openmetrics",
    "to_otlp",
    "to_prometheus",
    "to_protobuf",
]
