"""In which format a scraper is answered.

Source: RFC 9110, section 12.5.1; the content negotiation of Prometheus.
"""

from __future__ import annotations

from typing import Literal

Format = Literal["prometheus", "openmetrics", "protobuf"]

CONTENT_TYPES: dict[Format, str] = {
    "prometheus": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "protobuf": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
}

_PROTOBUF = {"proto": "io.prometheus.client.MetricFamily", "encoding": "delimited"}
_PREFERRED: dict[Format, int] = {"protobuf": 2, "openmetrics": 1, "prometheus": 0}


def negotiate(accept: str | None) -> Format:
    """The format that an Accept header prefers; of several alike the one that says most.

    Who names none that there is gets "prometheus", as every scraper reads it.

    Example:
        >>> negotiate("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
        'openmetrics'
        >>> negotiate("text/html, */*;q=0.8")
        'prometheus'
    """
    best: tuple[float, int] = (0.0, 0)
    chosen: Format = "prometheus"
    for part in (accept or "").split(","):
        kind, *rest = (piece.strip() for piece in part.split(";"))
        parameters = dict(_parameter(piece) for piece in rest)
        offered = _offered(kind.lower(), parameters)
        if offered is not None:
            rank = (quality(parameters.get("q", "1")), _PREFERRED[offered])
            if rank[0] > 0 and rank > best:
                best, chosen = rank, offered
    return chosen


def _offered(kind: str, parameters: dict[str, str]) -> Format | None:
    if kind == "application/vnd.google.protobuf":
        return "protobuf" if all(parameters.get(key) == value for key, value in _PROTOBUF.items()) else None
    if kind == "application/openmetrics-text":
        return "openmetrics" if parameters.get("version", "1.0.0") in ("1.0.0", "0.0.1") else None
    plain = kind in ("text/plain", "text/*", "*/*") and parameters.get("version", "0.0.4") == "0.0.4"
    return "prometheus" if plain else None


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether an Accept-Encoding header lets an answer be gzipped."""
    asked: dict[str, float] = {}
    for part in (accept_encoding or "").split(","):
        coding, *rest = (piece.strip() for piece in part.split(";"))
        asked[coding.lower()] = quality(dict(_parameter(piece) for piece in rest).get("q", "1"))
    return asked.get("gzip", asked.get("*", 0.0)) > 0


def quality(text: str) -> float:
    """The weight of an alternative; what is no weight is none."""
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _parameter(piece: str) -> tuple[str, str]:
    key, _, value = piece.partition("=")
    return key.strip().lower(), value.strip().strip('"')
