"""Metrics as JSON, held against its schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from tests.unit.observe.export.snapshots import NASTY, shop, snapshots

from seawall.observe import Distribution, Family, Sample, Snapshot
from seawall.observe.export import to_json

SCHEMA = json.loads((Path(__file__).resolve().parents[4] / "docs" / "reference" / "metrics.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@settings(max_examples=40)
@given(snapshots())
def test_any_snapshot_keeps_to_the_schema(snapshot: Snapshot) -> None:
    """Whatever numbers and texts there are, the JSON is what the schema describes."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(json.loads(to_json(snapshot)))


def test_json_holds_the_snapshot() -> None:
    """Values, labels, buckets, quantiles and exemplars are those of the snapshot."""
    families = {family["name"]: family for family in json.loads(to_json(shop()))["families"]}
    assert [(each["labels"]["route"], each["value"]) for each in families["http_requests"]["series"]] == [
        ("/a", 90.0),
        (NASTY, 10.0),
    ]
    assert [each["value"] for each in families["temperature"]["series"]] == [-7.5, "+Inf"]
    (took,) = families["http_request"]["series"]
    held = shop().families[1].samples[0].value
    assert isinstance(held, Distribution)
    assert (took["count"], took["quantiles"]["0.5"]) == (5, held.quantile(0.5))
    assert [count for _, _, count in took["buckets"]] == [1, 1, 1, 1, 1]
    for (low, high, _), value in zip(took["buckets"], (0.003, 0.03, 0.3, 3, 30), strict=True):
        assert low * 0.999 < value <= high * 1.001
    assert took["exemplars"][0]["labels"]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_schema_refuses_what_is_not_described() -> None:
    """A histogram without counts, or a word more, is no such JSON."""
    good = json.loads(to_json(Snapshot(0.0, (Family("a", "gauge", (Sample((), 1.0),)),))))
    VALIDATOR.validate(good)
    with pytest.raises(jsonschema.ValidationError, match="'more' was unexpected"):
        VALIDATOR.validate(good | {"more": 1})
    good["families"][0]["kind"] = "histogram"
    with pytest.raises(jsonschema.ValidationError, match="'count' is a required property"):
        VALIDATOR.validate(good)
