"""Results that are written down: JSON and back, logs, Markdown, and the schema of the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.results import bare, full, times

from seawall.errors import ConfigError
from seawall.measure import Histogram, LoadResult, read_hlog
from seawall.measure.load import ThresholdOutcome, Throughput, Verdict

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs" / "reference" / "load-result.schema.json").read_text())
OLD = ROOT / "tests" / "golden" / "load-result-0.json"
RESULTS = [
    full(duration=30.0, notes=7),
    full(duration=3.0, interval=0.07, notes=0, phases=0, warmup=0.0),
    bare(),
    bare(ended=2),
]


@pytest.mark.parametrize("result", RESULTS)
def test_a_saved_result_comes_back_whole(result: LoadResult, tmp_path: Path) -> None:
    """The text, the page, the log and every histogram are the same, to the nanosecond."""
    text = result.to_json()
    file = tmp_path / "run.json"
    file.write_text(text)
    for back in (LoadResult.from_json(text), LoadResult.from_json(file), LoadResult.from_json(str(file))):
        assert back.to_json() == text
        assert back.to_html() == result.to_html()
        assert back.to_hlog() == result.to_hlog()
        assert back.response_time == result.response_time
        assert back.response_time._summary() == result.response_time._summary()
        assert [block[:3] for block in back.blocks] == [block[:3] for block in result.blocks]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 200), max_size=60))
def test_any_times_come_back_exactly(values: list[float]) -> None:
    """Counts, sum and extremes, also of values above what the histogram holds."""
    result = replace(bare(ended=1), response_time=times(values), schedule_error=times(values))
    back = LoadResult.from_json(result.to_json())
    assert back.response_time == result.response_time
    assert back.schedule_error._summary() == result.schedule_error._summary()
    assert back.to_json() == result.to_json()


def test_a_file_of_an_earlier_version_keeps_its_numbers() -> None:
    """It has no histograms, notes and parts: response times come from its blocks, others from their percentiles."""
    old = json.loads(OLD.read_text())
    result = LoadResult.from_json(OLD)
    assert "hlog" not in old["service_time"]
    facts = json.loads(result.to_json())
    for name in ("response_time", "service_time", "schedule_error"):
        for key, value in old[name].items():
            assert facts[name][key] == pytest.approx(value, rel=2e-3), (name, key)
    for key in ("planned", "sent", "completed", "succeeded", "outcomes", "verdict", "thresholds", "duration", "seed"):
        assert facts[key] == old[key]
    assert (result.notes, result.scenarios, result.generator, result.target) == ((), (), None, "")
    assert LoadResult.from_json(result.to_json()).to_json() == result.to_json()
    assert f"{result.sent:,}" in result.to_html()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "KeyError: 'verdict'"),
        ("{", "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_what_is_no_result_is_refused_with_a_way_out(text: str, why: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(ConfigError) as told:
        LoadResult.from_json(text)
    assert str(told.value) == (
        f"source must be a saved load test, got a text ({why}); "
        "write it with `seawall load --json` or LoadResult.to_json()"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"duration": "long"}, "TypeError: 'long' stands where a number should"),
        ({"sent": None}, "TypeError: None stands where a number should"),
        ({"outcomes": {"2xx": "many"}}, "TypeError: 'many' stands where a number should"),
        (
            {"throughput": json.loads(bare(ended=1).to_json())["throughput"] | {"sent": [1, 2]}},
            "ValueError: throughput must have an interval above 0 and lists of one length",
        ),
    ],
)
def test_what_could_not_be_drawn_is_refused_when_it_is_read(change: dict[str, Any], why: str) -> None:
    """Better than a page that breaks."""
    with pytest.raises(ConfigError) as told:
        LoadResult.from_json(json.dumps(json.loads(bare(ended=1).to_json()) | change))
    assert f"({why})" in str(told.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is a source that is no file at all."""
    with pytest.raises(ConfigError) as told:
        LoadResult.from_json(tmp_path / "none.json")
    missing = str(tmp_path / "none.json")
    assert str(told.value) == f"source must be a file that can be read, got {missing!r}: No such file or directory"
    with pytest.raises(ConfigError, match=r"^source must be JSON text or a file of it, got 3; write it with"):
        LoadResult.from_json(3)  # type: ignore[arg-type]


def test_a_file_of_a_later_version_is_refused() -> None:
    """Reading half of it would be worse."""
    facts = json.loads(bare().to_json()) | {"schema": 2}
    with pytest.raises(ConfigError) as told:
        LoadResult.from_json(json.dumps(facts))
    assert str(told.value) == "schema must be 1, got 2; a newer seawall wrote it, update this one"


@pytest.mark.parametrize("spoil", ["not base64", "", "HISTFAAAABh4nJNp", 7, None])
def test_a_broken_histogram_is_refused(spoil: object) -> None:
    """Whatever stands in place of it, the error is one of bad input."""
    facts = json.loads(bare(ended=2).to_json())
    facts["response_time"]["hlog"] = spoil
    with pytest.raises(ConfigError, match=r"^source must be a saved load test, got a text \("):
        LoadResult.from_json(json.dumps(facts))


@pytest.mark.parametrize("result", [*RESULTS, replace(bare(), verdict=Verdict(False, ("why",)))])
def test_results_keep_to_the_schema(result: LoadResult) -> None:
    """The documented format is the one that is written."""
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(result.to_json()))


def test_the_schema_is_one_and_describes_every_key() -> None:
    """Each key says what it means; a key that is not described is refused."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [path for path, part in _keys(SCHEMA) if not part.get("description")] == []
    with pytest.raises(jsonschema.ValidationError, match="'more' was unexpected"):
        jsonschema.validate(json.loads(bare().to_json()) | {"more": 1}, SCHEMA)


def _keys(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{path}/{name}", part
        yield from _keys(part, f"{path}/{name}")
    for part in (schema.get("items"), *schema.get("anyOf", ()), *schema.get("$defs", {}).values()):
        if isinstance(part, Mapping):
            yield from _keys(part, path)


def test_the_log_has_response_times_by_block_and_the_others_whole() -> None:
    """Published tools tell them apart by their tags."""
    result = full(duration=30.0, notes=0)
    intervals = read_hlog(result.to_hlog())
    tags = [interval.tag for interval in intervals]
    assert tags == ["response_time"] * 64 + ["service_time", "schedule_error"]
    whole = Histogram(highest=60.0)
    for interval in intervals[:64]:
        whole.merge(interval.histogram)
    assert whole == result.response_time
    assert intervals[64].histogram == result.service_time
    assert [interval.tag for interval in read_hlog(bare(ended=3).to_hlog())] == [
        "response_time", "service_time", "schedule_error",
    ]  # fmt: skip


def test_the_summary_for_a_pull_request() -> None:
    """Verdict, thresholds, percentiles, outcomes."""
    result = replace(
        bare(ended=100),
        target="GET http://127.0.0.1:8000/",
        pattern="100 requests/s",
        throughput=Throughput(1.0, (100.0,), (100,), (100,), (97,), (0,)),
        outcomes={"2xx": 97, "status 503": 2, "timeout": 1},
        errors={"timeout": "took longer than\n10 s"},
        thresholds=(ThresholdOutcome("p99<250ms", 0.01, True), ThresholdOutcome("errors<1%", 0.03, False)),
    )
    assert result.to_markdown().splitlines() == [
        "### Load test of GET http\\://127.0.0.1:8000/",
        "",
        "❌ **1 of 2 thresholds failed**",
        "",
        "100 requests/s · 100 of 100 planned requests sent in 1 s · 100/s · 97 % succeeded",
        "",
        "| threshold | measured |  |",
        "| :-- | --: | --: |",
        "| p99&lt;250ms | 10.00 ms | ✅ kept |",
        "| errors&lt;1% | 3.00% | ❌ failed |",
        "",
        "|  | P50 | P90 | P95 | P99 | P99.9 | longest |",
        "| :-- | --: | --: | --: | --: | --: | --: |",
        "| response time | 10 ms | 10 ms | 10 ms | 10 ms | 10 ms | 10 ms |",
        "| service time | 10 ms | 10 ms | 10 ms | 10 ms | 10 ms | 10 ms |",
        "",
        "| outcome | requests | share | first error |",
        "| :-- | --: | --: | --: |",
        "| 2xx | 97 | 97 % |  |",
        "| status 503 | 2 | 2 % |  |",
        "| timeout | 1 | 1 % | took longer than 10 s |",
    ]


def test_markdown_cannot_be_broken_by_names() -> None:
    """No markup, no table cell, no mention, no link of its own."""
    evil = "<img src=x onerror=a()> | @everyone [x](http://y) `z` #1\n# head"
    text = full(duration=3.0, word=evil, notes=0).to_markdown(title=evil)
    assert "<img" not in text
    assert "\n# head" not in text
    for raw in (" | @", " @everyone", "[x](", "`z`", " #1", "http://"):
        assert raw not in text
    tables = [line for line in text.splitlines() if line.startswith("| status 503")]
    assert tables[0].replace("\\|", "").count("|") == 5
