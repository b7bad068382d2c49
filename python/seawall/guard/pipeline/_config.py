"""Pipelines from configuration: what a mapping, TOML text or environment variables describe."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from seawall.errors import ConfigError
from seawall.guard.pipeline._kinds import policies
from seawall.guard.pipeline._pipeline import Pipeline
from seawall.guard.pipeline._values import checked, resolved


class Entry(NamedTuple):
    """One policy of a configuration, as it is written there."""

    where: str
    kind: str
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """What tells it from others of its kind."""
        return str(self.options.get("name", self.kind))

    def make(self, **instead: Any) -> Any:
        """The policy, with some options given otherwise; None leaves an option out."""
        if self.kind not in policies:
            try:
                policies.get(self.kind)
            except ConfigError as error:
                raise ConfigError(f"{self.where}: {error}") from None
        options = resolved(self.where, {**self.options, **instead})
        options = {name: value for name, value in options.items() if value is not None or name not in instead}
        checked(self.where, policies.get(self.kind), options)
        try:
            return policies.create(self.kind, **options)
        except ConfigError as error:
            raise ConfigError(f"{self.where}: {error}") from None


def build(config: Mapping[str, Any]) -> Pipeline:
    """The pipeline a configuration describes."""
    entries = entries_of(config)
    made = Pipeline(*(entry.make() for entry in entries), name=cast(str, config.get("name", "pipeline")))
    made._written = tuple((entry.kind, entry.options) for entry in entries)
    return made


def entries_of(config: Mapping[str, Any]) -> list[Entry]:
    """The policies of a configuration, outermost first."""
    if not isinstance(config, Mapping):
        raise ConfigError(f"a configuration is a mapping, got {config!r}")
    if unknown := set(config) - {"name", "policies"}:
        raise ConfigError(f"a pipeline has name and policies, got {', '.join(sorted(map(repr, unknown)))}")
    listed = config.get("policies")
    if not isinstance(listed, (list, tuple)) or not listed:
        raise ConfigError(f"policies must be a list of at least one table with a type, got {listed!r}")
    entries = list(_entries(listed))
    seen: set[tuple[str, str]] = set()
    for i, entry in enumerate(entries, 1):
        if (entry.kind, entry.name) in seen:
            raise ConfigError(f"policies[{i}] is a second {entry.kind} named {entry.name!r}; give it a name of its own")
        seen.add((entry.kind, entry.name))
    return entries


def _entries(listed: list[Any] | tuple[Any, ...]) -> Iterator[Entry]:
    for i, entry in enumerate(listed, 1):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str):
            known = ", ".join(policies.names())
            raise ConfigError(f"policies[{i}] must be a table with a type ({known}), got {entry!r}")
        kind = entry["type"]
        yield Entry(f"policies[{i}] ({kind})", kind, {name: entry[name] for name in entry if name != "type"})


def read_toml(source: str | Path) -> dict[str, Any]:
    """The tables of TOML text, or of a file given as a Path."""
    if not isinstance(source, (str, Path)):
        raise ConfigError(f"TOML is text, or a file given as a Path, got {source!r}")
    try:
        return tomllib.loads(source.read_text(encoding="utf-8") if isinstance(source, Path) else source)
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{source} is not TOML: it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        what = str(source) if isinstance(source, Path) else "the text (a file is given as a Path)"
        raise ConfigError(f"{what} is not TOML: {error}") from None


def overlaid(base: Mapping[str, Any], prefix: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """`base` with options from variables `PREFIX__POLICY__OPTION`."""
    if not isinstance(prefix, str) or not re.fullmatch(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", prefix):
        raise ConfigError(f"prefix must be letters, digits and single underscores, got {prefix!r}")
    begin = f"{prefix.upper()}__"
    entries = [Entry(entry.where, entry.kind, dict(entry.options)) for entry in entries_of(base)]
    for variable, text in sorted((os.environ if environment is None else environment).items()):
        if variable.startswith(begin):
            _overlay(entries, variable, variable.removeprefix(begin).split("__"), text)
    return {**base, "policies": [{"type": entry.kind, **entry.options} for entry in entries]}


def _overlay(entries: list[Entry], variable: str, parts: list[str], text: str) -> None:
    if len(parts) != 2 or not all(parts):
        prefix = variable.partition("__")[0]
        raise ConfigError(f"{variable} must be {prefix}__POLICY__OPTION, with two underscores between the parts")
    chosen = [entry for entry in entries if parts[0] in (_variable(entry.name), _variable(entry.kind))]
    if not chosen:
        names = ", ".join(_variable(entry.name) for entry in entries)
        raise ConfigError(f"{variable} names no policy of the pipeline; there is: {names}")
    for entry in chosen:
        entry.options[parts[1].lower()] = _scalar(text)


def _variable(name: str) -> str:
    """A name as a variable spells it."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def _scalar(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
