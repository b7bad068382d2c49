"""Options as people type them, turned into values; what cannot be read is bad usage, exit code 2."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from seawall.errors import ConfigError
from seawall.measure.load import parse_duration


class Duration(click.ParamType[float]):
    """A duration such as 30s, 500ms or 2m, in seconds."""

    name = "duration"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the duration."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)


class Share(click.ParamType[float]):
    """A share such as 5% or 0.05, as a number from 0 to 1."""

    name = "share"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the share."""
        if isinstance(value, float):
            return value
        number = value.strip().removesuffix("%")
        try:
            return float(number) / (1 if number == value.strip() else 100)
        except ValueError:
            self.fail(f"share must be a number or a percentage, got {value!r}; for example 5% or 0.05", param, ctx)


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn a ConfigError into bad usage: its message already says the value, the range and the way out."""
    try:
        yield
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


def check_writable(files: Mapping[str, str | None]) -> None:
    """Raise ConfigError where an option names a file that could not be written: better now than after an hour.

    Args:
        files: What was given by option; None is no file and `-` is stdout.
    """
    taken: dict[str, str] = {}
    for option, file in files.items():
        if file is None:
            continue
        same = taken.setdefault(file if file == "-" else str(Path(file).resolve()), option)
        if same != option:
            raise ConfigError(f"{option} must be another file than {same}, got {file!r} for both; name two files")
        if file == "-":
            continue
        path = Path(file).absolute()
        if not path.parent.is_dir():
            raise ConfigError(
                f"{option} must be a file in a directory that exists, got {file!r}; make the directory first"
            )
        if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ConfigError(f"{option} must be a file that may be written, got {file!r}; choose another")


def read_headers(lines: tuple[str, ...]) -> dict[str, str]:
    """Read `Name: value` lines."""
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ConfigError(f"header must be a name and a value, got {line!r}; for example 'Accept: text/html'")
        headers[name.strip()] = value.strip()
    return headers
