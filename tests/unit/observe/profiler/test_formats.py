"""Files for other tools: read back by their own rules."""

from __future__ import annotations

import contextlib
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.observe.profiler.made import HOT, MAIN, profile, stack

from seawall.errors import ConfigError
from seawall.observe.profiler import Frame, Profile, Sampling, Stack
from seawall.observe.profiler._stack import CPU, SAMPLES, WAITING, WALL

# The shape of https://www.speedscope.app/file-format-schema.json, as far as sampled profiles use it.
NUMBERS = {"type": "array", "items": {"type": "number", "minimum": 0}}
SPEEDSCOPE = {
    "type": "object",
    "required": ["$schema", "profiles", "shared"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "name": {"type": "string"},
        "exporter": {"type": "string"},
        "activeProfileIndex": {"type": "integer", "minimum": 0},
        "shared": {
            "type": "object",
            "required": ["frames"],
            "additionalProperties": False,
            "properties": {
                "frames": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "additionalProperties": False,
                        "properties": {
                            "name": {"type": "string"},
                            "file": {"type": "string"},
                            "line": {"type": "number"},
                            "col": {"type": "number"},
                        },
                    },
                }
            },
        },
        "profiles": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
                "additionalProperties": False,
                "properties": {
                    "type": {"const": "sampled"},
                    "name": {"type": "string"},
                    "unit": {"enum": ["none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]},
                    "startValue": {"type": "number"},
                    "endValue": {"type": "number"},
                    "samples": {"type": "array", "items": NUMBERS},
                    "weights": NUMBERS,
                },
            },
        },
    },
}

# google/pprof, proto/profile.proto: message, field, number, type, repeated.
PPROF = {
    "Profile": "1 sample_type ValueType*|2 sample Sample*|3 mapping Mapping*|4 location Location*|5 function Function*|"
    "6 string_table string*|9 time_nanos int64|10 duration_nanos int64|11 period_type ValueType|12 period int64|"
    "13 comment int64*|14 default_sample_type int64",
    "ValueType": "1 type int64|2 unit int64",
    "Sample": "1 location_id uint64*|2 value int64*|3 label Label*",
    "Label": "1 key int64|2 str int64|3 num int64|4 num_unit int64",
    "Mapping": "1 id uint64|5 filename int64",
    "Location": "1 id uint64|2 mapping_id uint64|3 address uint64|4 line Line*|5 is_folded bool",
    "Line": "1 function_id uint64|2 line int64",
    "Function": "1 id uint64|2 name int64|3 system_name int64|4 filename int64|5 start_line int64",
}


def pprof_class() -> Any:
    """The message class, from a description made here: an encoding that is not ours."""
    described = descriptor_pb2.FileDescriptorProto(name="profile.proto", package="perftools.profiles", syntax="proto3")
    for name, fields in PPROF.items():
        message = described.message_type.add(name=name)
        for text in fields.split("|"):
            number, field, kind = text.split()
            made = message.field.add(name=field, number=int(number), label=3 if kind.endswith("*") else 1)
            kind = kind.removesuffix("*")
            if kind in PPROF:
                made.type, made.type_name = made.TYPE_MESSAGE, f".perftools.profiles.{kind}"
            else:
                made.type = getattr(made, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(described)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("perftools.profiles.Profile"))


def read(data: bytes) -> Any:
    """The message in a file."""
    message = pprof_class()()
    message.ParseFromString(gzip.decompress(data))
    return message


def test_collapsed_stacks_are_lines() -> None:
    """One line a stack, from the thread to the innermost frame, with the number last."""
    assert profile().only(sort="thread").to_collapsed() == (
        "MainThread;main (app.py:10) 500000000\n"
        "MainThread;main (app.py:10);Shop.price (shop.py:31) 1500000000\n"
        "Thread-* (work);wait (threading.py:5) 2000000000\n"
    )


def test_names_cannot_break_a_line() -> None:
    """Semicolons, newlines and surrogates of names become something else."""
    odd = Profile((SAMPLES,), {stack(Frame("a;b\nc\ud800", "x;y.py", 3), group="T; 1\n"): (7,)})
    assert odd.to_collapsed() == "T, 1;a,b c? (x,y.py:3) 7\n"


def test_speedscope_reads_it() -> None:
    """The file has the shape that the schema asks for, and the sums of the profile."""
    whole = json.loads(profile().to_speedscope(name="shop"))
    jsonschema.validate(whole, SPEEDSCOPE)
    first = whole["profiles"][0]
    assert [one["name"] for one in whole["profiles"]] == [
        "MainThread (wall)",
        "Thread-* (work) (wall)",
        "tasks (wall)",
    ]
    assert (first["unit"], sum(first["weights"]), first["endValue"]) == ("nanoseconds", 2_000_000_000, 2_000_000_000)
    names = [whole["shared"]["frames"][i] for i in first["samples"][0]]
    assert names == [
        {"name": "main", "file": "/srv/app.py", "line": 10},
        {"name": "Shop.price", "file": "/srv/shop.py", "line": 31},
    ]


def test_an_empty_profile_is_a_file_too() -> None:
    """A capture in which nothing was seen does not break a tool."""
    empty = Profile((SAMPLES, WALL), {})
    jsonschema.validate(json.loads(empty.to_speedscope()), SPEEDSCOPE)
    assert read(empty.to_pprof()).sample == []
    assert Profile.from_pprof(empty.to_pprof()) == empty
    assert "Nothing was counted" in empty.to_html()


def test_pprof_reads_it() -> None:
    """Protobuf's own decoder finds kinds, stacks from the innermost frame, labels, time and the first text empty."""
    message = read(profile().to_pprof())
    text = message.string_table
    assert text[0] == ""
    assert [(text[k.type], text[k.unit]) for k in message.sample_type] == [
        ("samples", "count"),
        ("wall", "nanoseconds"),
        ("cpu", "nanoseconds"),
        ("waiting", "nanoseconds"),
    ]
    sample = message.sample[0]
    places = {place.id: place for place in message.location}
    functions = {function.id: function for function in message.function}
    inner = places[sample.location_id[0]].line[0]
    assert (text[functions[inner.function_id].name], inner.line) == ("Shop.price", 31)
    assert text[functions[inner.function_id].filename] == "/srv/shop.py"
    assert list(sample.value) == [150, 1_500_000_000, 1_400_000_000, 0]
    assert {text[label.key]: text[label.str] for label in sample.label} == {"thread": "MainThread", "sort": "thread"}
    assert (message.time_nanos, message.duration_nanos) == (1_700_000_000_000_000_000, 2_000_000_000)
    assert (message.period, text[message.default_sample_type]) == (10_000_000, "wall")


def test_pprof_tells_doubts() -> None:
    """What went otherwise than asked stands in the comments."""
    held = replace(profile(), sampling=Sampling(rate=100, samples=1, seconds=1.0, held_back=1))
    message = read(held.to_pprof())
    assert [message.string_table[i] for i in message.comment] == held.sampling.doubts()  # type: ignore[union-attr]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FRAMES = st.builds(Frame, NAMES, NAMES, st.integers(0, 1 << 40), st.integers(0, 1 << 40))
STACKS = st.builds(Stack, st.sampled_from(["thread", "task", "memory"]), NAMES, st.lists(FRAMES, max_size=4).map(tuple))
VALUES = st.tuples(*[st.integers(-(1 << 62), 1 << 62)] * 4).filter(any)
PROFILES = st.builds(
    Profile,
    st.just((SAMPLES, WALL, CPU, WAITING)),
    st.dictionaries(STACKS, VALUES, max_size=6),
    st.integers(0, 1 << 31).map(float),
    st.integers(0, 1 << 20).map(float),
)


@given(PROFILES)
def test_what_pprof_has_written_is_read_back(made: Profile) -> None:
    """Any profile comes back as it was, and protobuf reads the same bytes."""
    data = made.to_pprof()
    assert Profile.from_pprof(data) == made
    assert sorted(tuple(sample.value) for sample in read(data).sample) == sorted(made.stacks.values())
    # What protobuf writes itself, in its own order and packing, is read as well.
    assert Profile.from_pprof(read(data).SerializeToString()) == made


@given(PROFILES, PROFILES)
def test_merging_keeps_every_number(one: Profile, other: Profile) -> None:
    """Each kind's total is the sum of both totals, whichever comes first."""
    for kind in one.kinds:
        assert (one + other).total(kind.name) == one.total(kind.name) + other.total(kind.name)
    assert (one + other).stacks == (other + one).stacks


@given(st.binary(max_size=60))
def test_what_is_no_profile_is_refused(data: bytes) -> None:
    """Bytes of any kind are a profile or a ConfigError, nothing else."""
    for given_bytes in (data, gzip.compress(data), profile().to_pprof()[: len(data)], b"\x1f\x8b" + data):
        with contextlib.suppress(ConfigError):
            Profile.from_pprof(given_bytes)


def test_a_name_says_the_format(tmp_path: Path) -> None:
    """Each ending has its writer, and other names are refused before anything is written."""
    for ending in (".html", ".speedscope.json", ".pb.gz", ".collapsed"):
        profile().save(tmp_path / f"p{ending}")
    assert Profile.from_pprof((tmp_path / "p.pb.gz").read_bytes()) == profile()
    assert (tmp_path / "p.collapsed").read_text() == profile().to_collapsed()
    assert len(list(tmp_path.iterdir())) == 4
    with pytest.raises(ConfigError) as caught:
        profile().save("p.svg")
    assert str(caught.value) == (
        "the name of a profile must end in one of .html, .speedscope.json, .pb.gz, .collapsed, got 'p.svg'"
    )


def test_frames_of_the_page_are_those_of_the_profile() -> None:
    """The stack of the hot function is on the page."""
    assert HOT.function in profile().to_html()
    assert MAIN.file in profile().to_html()
