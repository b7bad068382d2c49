"""What /metrics answers: a function of the request."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from typing import NamedTuple

from seawall.observe._access import Access
from seawall.observe.export._buckets import Bounds
from seawall.observe.export._negotiate import CONTENT_TYPES, Format, negotiate, takes_gzip
from seawall.observe.export._protobuf import to_protobuf
from seawall.observe.export._source import Source, snapshots_of
from seawall.observe.export._text import to_openmetrics, to_prometheus

_WORTH_GZIP = 1_024
_PLAIN = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """A response of HTTP."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Metering:
    """Answers scrapes of a source."""

    def __init__(self, source: Source, token: str | None, bounds: Bounds | None) -> None:
        self._snapshot = snapshots_of(source)
        self._own = {} if bounds is not None else _own_encoders(source)
        self._access = Access(token, open_to_all=token is None)
        self._bounds = bounds

    def answer(self, method: str, headers: Mapping[str, str]) -> Answer:
        """The response to a request; names of headers are lower case."""
        if not self._access.admits(headers.get("authorization", "")):
            refusal = (("WWW-Authenticate", 'Bearer realm="metrics"'), ("Content-Type", _PLAIN))
            return _sized(401, refusal, b"a bearer token is needed here\n", method)
        if method not in ("GET", "HEAD"):
            allowed = (("Allow", "GET, HEAD"), ("Content-Type", _PLAIN))
            return _sized(405, allowed, b"GET and HEAD are what there is\n", method)
        chosen = negotiate(headers.get("accept"))
        body = self._render(chosen)
        told = (("Content-Type", CONTENT_TYPES[chosen]), ("Vary", "Accept, Accept-Encoding"))
        if len(body) >= _WORTH_GZIP and takes_gzip(headers.get("accept-encoding")):
            return _sized(200, (*told, ("Content-Encoding", "gzip")), gzip.compress(body, 5, mtime=0), method)
        return _sized(200, told, body, method)

    def _render(self, chosen: Format) -> bytes:
        if chosen in self._own:
            text = self._own[chosen]()
            return text.encode("utf-8", "replace") if isinstance(text, str) else text
        snapshot = self._snapshot()
        if chosen == "protobuf":
            return to_protobuf(snapshot, bounds=self._bounds)
        made = (to_openmetrics if chosen == "openmetrics" else to_prometheus)(snapshot, bounds=self._bounds)
        return made.encode("utf-8", "replace")


def _own_encoders(source: Source) -> dict[Format, Callable[[], str | bytes]]:
    """What a source such as `Metrics` encodes by itself, faster than we do."""
    found = {
        "prometheus": getattr(source, "to_prometheus", None),
        "openmetrics": getattr(source, "to_openmetrics", None),
    }
    return {form: own for form, own in found.items() if callable(own)}  # type: ignore[misc]  # both are formats


def _sized(status: int, headers: tuple[tuple[str, str], ...], body: bytes, method: str) -> Answer:
    return Answer(status, (*headers, ("Content-Length", str(len(body)))), b"" if method == "HEAD" else body)
