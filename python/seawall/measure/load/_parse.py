"""Patterns and durations as people type them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.measure.load._patterns import Constant, Linear, Pattern, Sine, Spike, Step

_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h|)")


@dataclass(frozen=True, slots=True)
class _Shape:
    build: Callable[..., Pattern]
    rates: int
    options: dict[str, Callable[[str, str], float]]
    example: str = ""


def parse_duration(text: str, name: str = "duration") -> float:
    """Read a duration such as `30s`, `500ms`, `2m`, `1h` or `30` (seconds), in seconds.

    Args:
        text: The duration.
        name: What the message should call it.

    Raises:
        ConfigError: It is not a duration.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"{name} must be a number with ms, s, m or h, got {text!r}; for example 500ms, 30s, 2m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def parse(text: str, rate_text: str, duration: float) -> Pattern:
    """Read a pattern as the command line spells it.

    Args:
        text: `constant`, `linear`, `step`, `spike` or `sine`, with options after a colon where it has any:
            `step:steps=8`, `spike:at=10s,width=2s`, `sine:period=5s`.
        rate_text: `100` for constant, `50:500` for the others, in requests a second.
        duration: Length of the run in seconds, which the pattern must fit into.

    Raises:
        ConfigError: The pattern, an option or the rate cannot be read or does not fit.
    """
    name, _, options_text = text.strip().lower().partition(":")
    shape = _SHAPES.get(name)
    if shape is None:
        raise ConfigError(f"pattern must be one of {', '.join(_SHAPES)}, got {text!r}; for example spike")
    pattern = shape.build(*_rates(name, shape.rates, rate_text), **_options(name, shape, options_text))
    pattern.over(duration)
    return pattern


def _rates(name: str, wanted: int, text: str) -> list[float]:
    example = "100" if wanted == 1 else "50:500"
    try:
        rates = [float(part.replace("_", "")) for part in text.split(":")]
    except ValueError:
        rates = []
    if len(rates) != wanted:
        form = "one rate" if wanted == 1 else "two rates with a colon between"
        raise ConfigError(f"rate of {name} must be {form} in requests a second, got {text!r}; for example {example}")
    return rates


def _options(name: str, shape: _Shape, text: str) -> dict[str, float]:
    if text and not shape.options:
        raise ConfigError(f"{name} has no options, got {text!r}; leave out everything after the colon")
    options = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        read = shape.options.get(key.strip())
        if read is None:
            known = ", ".join(shape.options)
            raise ConfigError(f"option of {name} must be one of: {known}; got {part!r}; for example {shape.example}")
        options[key.strip()] = read(value, key.strip())
    return options


def _levels(text: str, name: str) -> int:
    if not text.strip().isdecimal():
        raise ConfigError(f"{name} must be a whole number of levels, got {text!r}; for example step:steps=5")
    return int(text)


_SHAPES = {
    "constant": _Shape(Constant, 1, {}),
    "linear": _Shape(Linear, 2, {}),
    "step": _Shape(Step, 2, {"steps": _levels}, "step:steps=5"),
    "spike": _Shape(Spike, 2, {"at": parse_duration, "width": parse_duration}, "spike:at=10s,width=2s"),
    "sine": _Shape(Sine, 2, {"period": parse_duration}, "sine:period=5s"),
}
