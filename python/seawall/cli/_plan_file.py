"""Load tests written down in a TOML file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seawall.cli._target import body_of, scenario_of, size_of, statuses_of
from seawall.errors import ConfigError
from seawall.measure.load import Scenario, parse_duration

Readers = Mapping[str, Callable[[Any, Path], Any]]


def read_plan(path: str) -> tuple[list[Scenario], dict[str, Any]]:
    """The scenarios of a file, and what it says about the run. Paths in it are from its own folder.

    Raises:
        ConfigError: The file cannot be read, or a key of it is unknown or has a wrong value; both are named.
    """
    try:
        facts = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"a plan must be a TOML file that can be read, got {path!r}: {error}") from error
    tables = facts.pop("scenario", None)
    if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
        raise ConfigError(f"{path}: a plan must have at least one [[scenario]] with a name and a target")
    folder = Path(path).parent
    run = _read(facts, _RUN, path, "", folder)
    return [_scenario(table, i, path, folder) for i, table in enumerate(tables, 1)], run


def _scenario(table: dict[str, Any], number: int, path: str, folder: Path) -> Scenario:
    where = f"scenario {table['name']!r}: " if isinstance(table.get("name"), str) else f"scenario {number}: "
    options = _read(table, _SCENARIO, path, where, folder)
    for key in ("name", "target"):
        if key not in options:
            raise ConfigError(f"{path}: {where}{key} is missing")
    try:
        return scenario_of(options.pop("name"), options.pop("target"), options)
    except ConfigError as error:
        raise ConfigError(f"{path}: {where}{error}") from error


def _read(table: Mapping[str, Any], readers: Readers, path: str, where: str, folder: Path) -> dict[str, Any]:
    found = {}
    for key, value in table.items():
        if key not in readers:
            near = difflib.get_close_matches(key, readers, 1)
            way_out = f"did you mean {near[0]}?" if near else f"known are {', '.join(readers)}"
            raise ConfigError(f"{path}: {where}there is no key {key!r}; {way_out}")
        try:
            found[key] = readers[key](value, folder)
        except ConfigError as error:
            raise ConfigError(f"{path}: {where}{key}: {error}") from error
    return found


def _a(kind: type | tuple[type, ...], words: str) -> Callable[[Any, Path], Any]:
    def read(value: Any, _folder: Path) -> Any:
        # A bool is an int to Python, and no number to anybody else.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ConfigError(f"it must be {words}, got {value!r}")
        return value

    return read


def _duration(value: Any, _folder: Path) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise ConfigError(f"it must be a duration, got {value!r}; for example '30s', or a number of seconds")
    return parse_duration(value)


def _rate(value: Any, _folder: Path) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ConfigError(f"it must be a rate, got {value!r}; for example 100 or '50:500'")
    return str(value)


def _phases(value: Any, folder: Path) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ConfigError(f"it must be a table of names with lengths, got {value!r}; for example {{ ramp = '10s' }}")
    return {name: _duration(length, folder) for name, length in value.items()}


def _texts(value: Any, _folder: Path) -> list[str]:
    some = [value] if isinstance(value, str) else value
    if not isinstance(some, list) or not some or not all(isinstance(one, str) for one in some):
        raise ConfigError(f"it must be a text or a list of texts, got {value!r}")
    return some


def _statuses(value: Any, _folder: Path) -> list[int]:
    some = value if isinstance(value, list) else [value]
    return statuses_of([str(one) for one in some])


def _verify(value: Any, folder: Path) -> bool | str:
    if not isinstance(value, (bool, str)):
        raise ConfigError(f"it must be true, false or a file of certificates, got {value!r}")
    return value if isinstance(value, bool) else str(folder / value)


_TEXT, _WHOLE, _FLAG = _a(str, "a text"), _a(int, "a whole number"), _a(bool, "true or false")
_NUMBER = _a((int, float), "a number")
_RUN: Readers = {
    "pattern": _TEXT,
    "rate": _rate,
    "duration": _duration,
    "warmup": _duration,
    "phases": _phases,
    "closed": _WHOLE,
    "think": _duration,
    "arrivals": _TEXT,
    "seed": _WHOLE,
    "max_concurrency": _WHOLE,
    "timeout": _duration,
    "grace": _duration,
    "threads": _WHOLE,
    "workers": _WHOLE,
    "thresholds": _texts,
    "abort": _FLAG,
}
_SCENARIO: Readers = {
    "name": _TEXT,
    "target": _TEXT,
    "weight": _NUMBER,
    "worker": _TEXT,
    "check": _TEXT,
    "feed": lambda value, folder: str(folder / _TEXT(value, folder)),
    "max_concurrency": _WHOLE,
    "engine": _TEXT,
    "method": _TEXT,
    "headers": _a(dict, "a table of names with values"),
    "body": lambda value, folder: body_of(_texts(value, folder), folder),
    "expect_status": _statuses,
    "expect_body": _TEXT,
    "expect_size": lambda value, _folder: size_of(str(value)),
    "verify": _verify,
}
