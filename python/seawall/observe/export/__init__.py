"""Exports of metrics: Prometheus and OpenMetrics, native histograms, OTLP, StatsD, JSON, and Grafana dashboards."""

from seawall.observe.export._apps import metrics_app, metrics_wsgi
from seawall.observe.export._negotiate import negotiate
from seawall.observe.export._protobuf import to_protobuf
from seawall.observe.export._text import to_openmetrics, to_prometheus

__all__ = ["metrics_app", "metrics_wsgi", "negotiate", "to_openmetrics", "to_prometheus", "to_protobuf"]
