"""Metrics as delimited Protocol Buffers, the format in which Prometheus takes native histograms.

Source: io/prometheus/client/metrics.proto of prometheus/client_model; the numbers below are those of its fields.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Exemplar, Labels, Sample, Snapshot
from seawall.observe.export import _wire as wire
from seawall.observe.export._buckets import Bounds, bounds_of, exponential
from seawall.observe.export._series import buckets, labels_of, last_exemplar, named

_TYPES = {"counter": 0, "gauge": 1, "histogram": 4}
_FINEST, _COARSEST = 8, -4


def to_protobuf(snapshot: Snapshot, *, bounds: Bounds | None = None, max_buckets: int = 160) -> bytes:
    """A snapshot as delimited io.prometheus.client.MetricFamily messages: histograms both native and classic.

    Guarantees: the schema of a native histogram is the finest that its buckets fit in, and gets coarser only, until
    whoever counts begins anew. A quantile read from it is off by at most one of its buckets, 0.27 % at schema 8, and
    one of ours, 10 ** -digits.

    Args:
        snapshot: What is to be told.
        bounds: Of the classic buckets, which carry exemplars to servers that take no native ones.
        max_buckets: How many native buckets a histogram may have.

    Raises:
        ValueError: two families, or two labels of a series, would share a name.
    """
    return b"".join(_delimited(message) for message in _families(snapshot, bounds, max_buckets))


def _families(snapshot: Snapshot, bounds: Bounds | None, most: int) -> Iterator[bytes]:
    for name, family in named(snapshot):
        total = f"{name}_total" if family.kind == "counter" else name
        limits = bounds_of(family, bounds) if family.kind == "histogram" else ()
        metrics = (
            wire.chunk(4, _labels(labels_of(sample, family)) + _value(family.kind, sample, limits, most))
            for sample in family.samples
        )
        unit = wire.text(5, family.unit) if family.unit else b""
        head = wire.text(1, total) + wire.text(2, family.help) + wire.whole(3, _TYPES[family.kind])
        yield head + b"".join(metrics) + unit


def _delimited(message: bytes) -> bytes:
    return wire.varint(len(message)) + message


def _value(kind: str, sample: Sample, limits: tuple[float, ...], most: int) -> bytes:
    if isinstance(sample.value, Distribution):
        return wire.chunk(7, _histogram(sample, sample.value, limits, most))
    if kind == "counter":
        last = last_exemplar(sample)
        beside = b"" if last is None else wire.chunk(2, _exemplar(last))
        return wire.chunk(3, wire.double(1, sample.value) + beside)
    return wire.chunk(2, wire.double(1, sample.value))


def _histogram(sample: Sample, held: Distribution, limits: tuple[float, ...], most: int) -> bytes:
    parts = [wire.whole(1, held.count), wire.double(2, held.sum)]
    for bound, count, exemplar in buckets(sample, held, limits):
        beside = b"" if exemplar is None else wire.chunk(3, _exemplar(exemplar))
        parts.append(wire.chunk(3, wire.whole(1, count) + wire.double(2, bound) + beside))
    parts.append(_native(held, most))
    return b"".join(parts)


def _native(held: Distribution, most: int) -> bytes:
    native = exponential(held, finest=_FINEST, coarsest=_COARSEST, most=most)
    parts = [wire.signed(5, native.scale), wire.double(6, native.zero_threshold), wire.whole(7, native.zero_count)]
    # Their index i ends with base ** i, ours begins there.
    for offset, length in _spans([index + 1 for index in native.indices]):
        parts.append(wire.chunk(12, wire.signed(1, offset) + wire.whole(2, length)))
    parts += (wire.signed(13, count - before) for before, count in itertools.pairwise([0, *native.counts]))
    return b"".join(parts)


def _spans(indices: list[int]) -> Iterator[tuple[int, int]]:
    """(distance from the end of the span before, length) of each run of neighbours."""
    end = 0
    for _, run in itertools.groupby(enumerate(indices), key=lambda each: each[1] - each[0]):
        places = [index for _, index in run]
        yield places[0] - end, len(places)
        end = places[-1] + 1


def _labels(labels: Labels) -> bytes:
    return b"".join(wire.chunk(1, wire.text(1, name) + wire.text(2, value)) for name, value in labels)


def _exemplar(exemplar: Exemplar) -> bytes:
    seconds, nanos = divmod(round(exemplar.at * 1e9), 1_000_000_000)
    at = wire.whole(1, seconds) + wire.whole(2, nanos)
    return _labels(exemplar.labels) + wire.double(2, exemplar.value) + wire.chunk(3, at)
