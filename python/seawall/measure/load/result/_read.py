"""A load test's result from JSON, also from that of earlier versions."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seawall._core import bulk
from seawall.errors import ConfigError
from seawall.measure._histogram import Histogram
from seawall.measure._hlog import HlogInterval, decode_counts, read_hlog
from seawall.measure.load._thresholds import ThresholdOutcome
from seawall.measure.load.result._json import EXACT, GENERATOR, PART, PART_COUNTS, SCHEMA, SERIES, TIMES, WORDS
from seawall.measure.load.result._parts import Generator, Note, Part
from seawall.measure.load.result._result import LoadResult, Throughput, Verdict

_WAY_OUT = "write it with `seawall load --json` or LoadResult.to_json()"
# Whatever malformed numbers and lines make of the reader.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error, zlib.error)
_COUNTS = ("planned", "sent", "completed", "late", "dropped", "interrupted", "duration")
_LATER_SERIES = ("late", "slowest")
_SERIES = tuple(name for name in SERIES if name not in ("interval", *_LATER_SERIES))


def read(source: str | os.PathLike[str]) -> LoadResult:
    """Read the text of a result, or a file of one."""
    text, named = _text(source)
    try:
        return of_facts(json.loads(text))
    except ConfigError:
        raise
    except _MALFORMED as error:
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(f"source must be a saved load test, got {named} ({why}); {_WAY_OUT}") from error


def of_facts(facts: Mapping[str, Any]) -> LoadResult:
    """The result of parsed JSON."""
    if facts.get("schema", SCHEMA) != SCHEMA:
        raise ConfigError(
            f"schema must be {SCHEMA}, got {facts['schema']!r}; a newer seawall wrote it, update this one"
        )
    blocks, verdict, generator = _blocks(facts), facts["verdict"], facts.get("generator")
    _numbers(facts[name] for name in _COUNTS)
    _numbers(facts["outcomes"].values())
    times: dict[str, Any] = {name: _times(facts[name]) for name in TIMES}
    if "hlog" not in facts["response_time"] and blocks:
        times["response_time"] = _merged(blocks, facts["response_time"])
    return LoadResult(
        **times,
        **{name: facts[name] for name in _COUNTS},
        **{name: facts[name] for name in (*WORDS, "plan", "aborted") if name in facts},
        throughput=_throughput(facts["throughput"]),
        outcomes=dict(facts["outcomes"]),
        first_error=facts["first_error"],
        verdict=_verdict(verdict),
        seed=facts.get("seed"),
        blocks=blocks,
        thresholds=tuple(ThresholdOutcome(**one) for one in facts.get("thresholds", ())),
        scenarios=tuple(_part(part) for part in facts.get("scenarios", ())),
        phases=tuple(_part(part) for part in facts.get("phases", ())),
        notes=tuple(Note(**note) for note in facts.get("notes", ())),
        generator=None if generator is None else _generator(generator),
        errors=dict(facts.get("errors", {})),
    )


def _text(source: str | os.PathLike[str]) -> tuple[str, str]:
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return source, "a text"
    if not isinstance(source, (str, os.PathLike)):
        raise ConfigError(f"source must be JSON text or a file of it, got {source!r}; {_WAY_OUT}")
    try:
        return Path(source).read_text(encoding="utf-8"), repr(str(source))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"source must be a file that can be read, got {str(source)!r}: {why}") from error


def _verdict(facts: Mapping[str, Any]) -> Verdict:
    if facts["valid"]:
        return Verdict(True, tuple(facts["reasons"]))
    return Verdict(False, tuple(facts["reasons"]), facts["cause"])


def _throughput(facts: Mapping[str, Any]) -> Throughput:
    series = {name: tuple(facts[name]) for name in _SERIES}
    later = {name: tuple(facts.get(name, ())) for name in _LATER_SERIES}
    lengths = {len(one) for one in (*series.values(), *filter(None, later.values()))}
    if len(lengths) > 1 or not facts["interval"] > 0:
        raise ValueError("throughput must have an interval above 0 and lists of one length")
    for one in (*series.values(), *later.values()):
        _numbers(one)
    return Throughput(interval=facts["interval"], **series, **later)


def _numbers(values: Iterable[object]) -> None:
    for value in values:
        if not isinstance(value, (int, float)):
            raise TypeError(f"{value!r} stands where a number should")


def _part(facts: Mapping[str, Any]) -> Part:
    counts = {name: facts[name] for name in (*PART, *PART_COUNTS) if name != "dropped"}
    times: dict[str, Any] = {name: _times(facts[name]) for name in ("response_time", "service_time")}
    return Part(**counts, **times, outcomes=dict(facts["outcomes"]), ended=facts.get("ended", ""))


def _generator(facts: Mapping[str, Any]) -> Generator:
    return Generator(**{name: facts[name] for name in GENERATOR}, lag=_times(facts["lag"]))


def _blocks(facts: Mapping[str, Any]) -> tuple[HlogInterval, ...]:
    lines = facts.get("blocks", [])
    exact = facts.get("blocks_exact")
    if exact is None:
        return tuple(read_hlog("\n".join(lines)))
    encoded = [line.rpartition(",")[2] for line in lines if line and line[0] not in '#"']
    return tuple(
        HlogInterval(known["start"], known["duration"], None, _exact(decode_counts(text), known))
        for text, known in zip(encoded, exact, strict=True)
    )


def _times(facts: Mapping[str, Any]) -> Histogram:
    if "hlog" in facts:
        return _exact(decode_counts(facts["hlog"]), facts)
    return _steps(facts) if facts["count"] else Histogram()


def _exact(times: Histogram, known: Mapping[str, Any]) -> Histogram:
    if "sum_ns" in known:
        times._add_summary(*(known[name] for name in EXACT))
    return times


def _merged(blocks: tuple[HlogInterval, ...], known: Mapping[str, Any]) -> Histogram:
    whole = Histogram._of_layout(blocks[0].histogram._layout()[:3])
    for block in blocks:
        whole.merge(block.histogram)
    return _with_summary(whole, known)


def _steps(known: Mapping[str, Any]) -> Histogram:
    # Each percentile that was written keeps its value; the requests between two of them take the higher one's.
    levels = sorted((float(name[1:]), value) for name, value in known.items() if name[:1] == "p")
    whole = Histogram(highest=max(known["max"], 1.0))
    placed = 0
    for percentile, value in [*levels, (100.0, known["max"])]:
        upto = max(placed, min(round(known["count"] * percentile / 100), known["count"]))
        whole.record_many(np.full(upto - placed, value))
        placed = upto
    return _with_summary(whole, known)


def _with_summary(times: Histogram, known: Mapping[str, Any]) -> Histogram:
    exact = round(known["mean"] * known["count"] * 1e9), round(known["min"] * 1e9), round(known["max"] * 1e9), 0
    bare = Histogram._of_layout(times._layout()[:3])
    bulk.decode(bare._capsule(), bulk.encode(times._capsule()))
    return _exact(bare, dict(zip(EXACT, exact, strict=True)))
