"""Patterns and durations as people type them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from seawall.errors import ConfigError
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.pattern._patterns import Constant, Linear, Sine, Spike, Step
from seawall.measure.load.pattern._replay import Replay
from seawall.measure.load.pattern._stages import Stages

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


def parse(text: str, rate_text: str | None, duration: float) -> Pattern:
    """Read a pattern as the command line spells it.

    Args:
        text: `constant`, `linear`, `step`, `spike` or `sine`, with options after a colon where it has any:
            `step:steps=8`, `spike:at=10s,width=2s`, `sine:period=5s`; `stages:30s=100,1m=100,10s=0`, the rate after
            each length of time; or `replay:FILE`.
        rate_text: `100` for constant, `50:500` for the others, in requests a second; None for stages and replay, which
            bring their own, and for the default of 50.
        duration: Length of the run in seconds, which the pattern must fit into.

    Raises:
        ConfigError: The pattern, an option or the rate cannot be read or does not fit.
    """
    name, _, rest = text.strip().partition(":")
    name = name.lower()
    if name in _OWN_RATES:
        if rate_text is not None:
            raise ConfigError(f"{name} brings its own rates, got a rate of {rate_text!r}; leave out the rate")
        pattern = _OWN_RATES[name](rest)
    else:
        pattern = _shaped(name, rest.lower(), "50" if rate_text is None else rate_text, text)
    pattern.over(duration)
    return pattern


def _shaped(name: str, options: str, rates: str, text: str) -> Pattern:
    shape = _SHAPES.get(name)
    if shape is None:
        raise ConfigError(
            f"pattern must be one of {', '.join([*_SHAPES, *_OWN_RATES])}, got {text!r}; for example spike"
        )
    return shape.build(*_rates(name, shape.rates, rates), **_options(name, shape, options))


def _stages(text: str) -> Pattern:
    stages = []
    for part in filter(None, text.split(",")):
        length, _, level = part.partition("=")
        try:
            rate = float(level)
        except ValueError:
            raise ConfigError(
                f"a stage must be a length of time and the rate at its end, got {part!r}; "
                "for example stages:30s=100,1m=100,10s=0"
            ) from None
        stages.append((parse_duration(length, "length of a stage"), rate))
    if not stages:
        raise ConfigError("stages needs at least one stage, got none; for example stages:30s=100,1m=100,10s=0")
    return Stages(stages)


def _replay(text: str) -> Pattern:
    if not text:
        raise ConfigError("replay needs a file of timestamps, got none; for example replay:arrivals.txt")
    return Replay(text)


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
_OWN_RATES: dict[str, Callable[[str], Pattern]] = {"stages": _stages, "replay": _replay}
