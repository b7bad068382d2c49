"""Delimited Protocol Buffers for Prometheus, read back by the protobuf library."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.observe.export.snapshots import NASTY, distribution, shop, snapshots

from seawall.observe import Distribution, Family, Sample, Snapshot
from seawall.observe.export import to_protobuf

Field = descriptor_pb2.FieldDescriptorProto

# Of io/prometheus/client/metrics.proto: name, number and type of each field that a scraper reads here.
MESSAGES: dict[str, list[tuple[str, int, Any]]] = {
    "LabelPair": [("name", 1, Field.TYPE_STRING), ("value", 2, Field.TYPE_STRING)],
    "Timestamp": [("seconds", 1, Field.TYPE_INT64), ("nanos", 2, Field.TYPE_INT32)],
    "Exemplar": [("label", 1, "LabelPair*"), ("value", 2, Field.TYPE_DOUBLE), ("timestamp", 3, "Timestamp")],
    "Gauge": [("value", 1, Field.TYPE_DOUBLE)],
    "Counter": [("value", 1, Field.TYPE_DOUBLE), ("exemplar", 2, "Exemplar")],
    "BucketSpan": [("offset", 1, Field.TYPE_SINT32), ("length", 2, Field.TYPE_UINT32)],
    "Bucket": [
        ("cumulative_count", 1, Field.TYPE_UINT64),
        ("upper_bound", 2, Field.TYPE_DOUBLE),
        ("exemplar", 3, "Exemplar"),
    ],
    "Histogram": [
        ("sample_count", 1, Field.TYPE_UINT64),
        ("sample_sum", 2, Field.TYPE_DOUBLE),
        ("bucket", 3, "Bucket*"),
        ("schema", 5, Field.TYPE_SINT32),
        ("zero_threshold", 6, Field.TYPE_DOUBLE),
        ("zero_count", 7, Field.TYPE_UINT64),
        ("positive_span", 12, "BucketSpan*"),
        ("positive_delta", 13, (Field.TYPE_SINT64, "*")),
    ],
    "Metric": [
        ("label", 1, "LabelPair*"),
        ("gauge", 2, "Gauge"),
        ("counter", 3, "Counter"),
        ("histogram", 7, "Histogram"),
    ],
    "MetricFamily": [
        ("name", 1, Field.TYPE_STRING),
        ("help", 2, Field.TYPE_STRING),
        ("type", 3, Field.TYPE_INT32),
        ("metric", 4, "Metric*"),
        ("unit", 5, Field.TYPE_STRING),
    ],
}


def family_class() -> Any:
    """The MetricFamily message, made at run time."""
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="t", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            many = isinstance(kind, tuple) or str(kind).endswith("*")
            made = message.field.add(name=field, number=number)
            made.label = Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                made.type, made.type_name = Field.TYPE_MESSAGE, f".t.{kind.rstrip('*')}"
            else:
                made.type = kind[0] if isinstance(kind, tuple) else kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.MetricFamily"))


METRIC_FAMILY = family_class()


def read(body: bytes) -> dict[str, Any]:
    """The families of a body, by name; nothing in it may be unknown."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    found, place = {}, 0
    while place < len(body):
        size, place = varint(body, place)
        family = METRIC_FAMILY.FromString(body[place : place + size])
        assert not len(UnknownFieldSet(family))
        found[family.name] = family
        place += size
    return found


def varint(body: bytes, place: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = 0
    for shift in itertools.count(0, 7):
        byte = body[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise AssertionError


def native_buckets(histogram: Any) -> Iterator[tuple[int, int]]:
    """(index, count) of the positive buckets, as a scraper unfolds spans and deltas."""
    index, count, deltas = 0, 0, iter(histogram.positive_delta)
    for span in histogram.positive_span:
        index += span.offset
        for _ in range(span.length):
            count += next(deltas)
            yield index, count
            index += 1
    assert next(deltas, None) is None


def test_a_snapshot_is_read_back() -> None:
    """Names, kinds, units, labels, values and exemplars are those of the snapshot."""
    families = read(to_protobuf(shop()))
    assert {name: (family.type, family.unit) for name, family in families.items()} == {
        "http_requests_total": (0, ""),
        "http_request_seconds": (4, "seconds"),
        "pool_used_ratio": (1, "ratio"),
        "temperature": (1, ""),
        "nothing_total": (0, ""),
    }
    good, bad = families["http_requests_total"].metric
    assert {pair.name: pair.value for pair in bad.label} == {"code": "500", "route": NASTY}
    assert (good.counter.value, bad.counter.value) == (90.0, 10.0)
    assert (good.counter.exemplar.value, good.counter.exemplar.timestamp.seconds) == (1.0, 1_699_999_999)
    assert [metric.gauge.value for metric in families["temperature"].metric] == [-7.5, math.inf]
    (took,) = families["http_request_seconds"].metric
    assert (took.histogram.sample_count, took.histogram.sample_sum) == (5, pytest.approx(33.333))
    assert [bucket.cumulative_count for bucket in took.histogram.bucket] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5]
    assert [bucket.upper_bound for bucket in took.histogram.bucket if bucket.HasField("exemplar")] == [0.5]


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_any_snapshot_is_read_back(snapshot: Snapshot) -> None:
    """Any text in labels and help, and any number."""
    families = list(read(to_protobuf(snapshot)).values())
    assert [family.help for family in families] == [family.help for family in snapshot.families]
    for told, family in zip(families, snapshot.families, strict=True):
        pairs = [tuple((pair.name, pair.value) for pair in metric.label) for metric in told.metric]
        assert pairs == [sample.labels for sample in family.samples]
        values = [getattr(metric, family.kind) for metric in told.metric]
        if family.kind != "histogram":
            assert [value.value for value in values] == [sample.value for sample in family.samples]


def test_native_buckets_are_those_of_the_specification() -> None:
    """Index i at schema s holds what is above 2 ** ((i - 1) * 2 ** -s), up to 2 ** (i * 2 ** -s)."""
    histogram = native(distribution([1.5, 1.5, 3.0, 100.0], digits=2))
    base = 2**2.0**-histogram.schema
    for (index, count), (value, many) in zip(native_buckets(histogram), [(1.5, 2), (3.0, 1), (100.0, 1)], strict=True):
        assert count == many
        assert base ** (index - 2) < value <= base ** (index + 1)
    assert histogram.schema == 6


def native(held: Distribution, **options: Any) -> Any:
    """The histogram message of a distribution."""
    body = to_protobuf(Snapshot(0.0, (Family("h", "histogram", (Sample((), held),)),)), **options)
    return read(body)["h"].metric[0].histogram


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 3600), min_size=1, max_size=200), st.integers(1, 3), st.sampled_from([0.1, 0.5, 0.9, 0.99])
)
def test_a_native_quantile_is_as_near_as_stated(values: list[float], digits: int, q: float) -> None:
    """Nothing is lost, and a quantile is off by one native bucket and one of ours at most."""
    held = distribution(values, digits=digits)
    histogram = native(held)
    found = list(native_buckets(histogram))
    assert histogram.zero_count + sum(count for _, count in found) == len(values)
    assert len(found) <= 160
    base = 2**2.0**-histogram.schema
    rank, reached = max(1, math.ceil(q * len(values))), histogram.zero_count
    bound = histogram.zero_threshold
    for index, count in found:
        if reached >= rank:
            break
        reached += count
        bound = base**index
    exact = held.quantile(q)
    assert exact == pytest.approx(bound, rel=base - 1 + 10.0**-digits, abs=histogram.zero_threshold)


def test_many_buckets_take_a_coarser_schema() -> None:
    """Whatever was measured, there are at most as many native buckets as may be."""
    wide = distribution([10 ** (exponent / 50) for exponent in range(-300, 170)])
    assert native(distribution([1.0])).schema == 8
    histogram = native(wide, max_buckets=20)
    assert (histogram.schema, len(list(native_buckets(histogram)))) == (-1, 17)


def test_an_empty_histogram_is_native_too() -> None:
    """Without values the threshold alone tells a scraper that it is a native one."""
    histogram = native(distribution([]))
    assert (histogram.sample_count, histogram.zero_count) == (0, 0)
    assert histogram.zero_threshold > 0
