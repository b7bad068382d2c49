"""Pipelines from configuration, and following a changed one without losing state."""

from __future__ import annotations

import builtins
import importlib
import inspect
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from seawall.errors import ConfigError
from seawall.guard.pipeline._kinds import policies, values
from seawall.guard.pipeline._pipeline import Pipeline, arranged

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is said once, at the start: a reload that changes one of these makes another policy.
_FIXED = ("name", "clock", "shared", "on_conflict")
_ERRORS = ("on", "ignore")


def build(config: Mapping[str, Any]) -> Pipeline:
    """The pipeline a configuration describes."""
    entries = list(_entries(config))
    made = Pipeline(*(_make(where, kind, options) for where, kind, options in entries), name=_name(config))
    made._config = [(kind, options) for _, kind, options in entries]  # type: ignore[attr-defined]
    return made


def reload(pipeline: Pipeline, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Make a running pipeline follow `config`; what changed."""
    entries = list(_entries(config))
    # Everything is made once beside the running policies: what can never work is found before anything changes.
    trial = [_make(where, kind, {**options, "shared": None}) for where, kind, options in entries]
    arranged(trial)
    present = {(type(policy), policy.name): policy for policy in pipeline.policies}
    before = dict(zip(present, getattr(pipeline, "_config", []), strict=False))
    changes: list[str] = []
    row: list[Any] = []
    for (where, kind, options), tried in zip(entries, trial, strict=True):
        key = type(tried), tried.name
        policy = present.pop(key, None)
        if policy is None:
            policy = _make(where, kind, options)
            changes.append(f"{policy._title()} is new")
        elif before.get(key) != (kind, options):
            policy = _follow(policy, where, kind, options, changes)
        row.append(policy)
    changes += [f"{policy._title()} is gone" for policy in present.values()]
    if any(hasattr(policy, "_carry") != hasattr(other, "_carry") for policy, other in zip(row, pipeline, strict=False)):
        raise ConfigError("a policy that moves calls to threads cannot be added, moved or taken away by a reload")
    pipeline._route.lead(arranged(row))
    pipeline._config = [(kind, options) for _, kind, options in entries]  # type: ignore[attr-defined]
    return tuple(changes)


def _follow(policy: Any, where: str, kind: str, options: dict[str, Any], changes: list[str]) -> Any:
    wanted = _resolved(where, kind, options)
    lenience = wanted.pop("shadow", False), wanted.pop("enforce", 1.0)
    changeable = {name: value for name, value in wanted.items() if name not in _FIXED}
    if not policy._follow(changeable):
        changes.append(f"{policy._title()} is replaced")
        return _make(where, kind, options)
    policy._lenience(*lenience)
    changes.append(f"{policy._title()} follows")
    return policy


def _entries(config: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if not isinstance(config, Mapping):
        raise ConfigError(f"a configuration is a mapping, got {config!r}")
    if unknown := set(config) - {"name", "policies"}:
        raise ConfigError(f"a pipeline has name and policies, got {', '.join(sorted(map(repr, unknown)))}")
    listed = config.get("policies")
    if not isinstance(listed, (list, tuple)) or not listed:
        raise ConfigError(f"policies must be a list of at least one table with a type, got {listed!r}")
    seen: set[tuple[str, str]] = set()
    for i, entry in enumerate(listed, 1):
        where = f"policies[{i}]"
        if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str):
            raise ConfigError(f"{where} must be a table with a type ({', '.join(policies.names())}), got {entry!r}")
        kind = entry["type"]
        options = {name: value for name, value in entry.items() if name != "type"}
        key = kind, str(options.get("name", kind))
        if key in seen:
            raise ConfigError(f"{where} is a second {kind} named {key[1]!r}; give it a name of its own")
        seen.add(key)
        yield f"{where} ({kind})", kind, options


def _name(config: Mapping[str, Any]) -> str:
    return cast(str, config.get("name", "pipeline"))


def _make(where: str, kind: str, options: Mapping[str, Any]) -> Any:
    resolved = _resolved(where, kind, options)
    resolved = {name: value for name, value in resolved.items() if value is not None or name != "shared"}
    try:
        return policies.create(kind, **resolved)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    except TypeError as error:
        if "__init__" not in str(error):
            raise
        raise ConfigError(f"{where}: {_signature_says(kind, error)}") from None


def _signature_says(kind: str, error: TypeError) -> str:
    known = [name for name in inspect.signature(policies.get(kind)).parameters if name != "self"]
    said = str(error).partition("() ")[2] or str(error)
    return f"{said}; options are: {', '.join(known)}"


def _resolved(where: str, kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the policy takes them: structured values made, names of exceptions looked up."""
    if kind not in policies:
        policies.get(kind)  # raises, with what there is
    made: dict[str, Any] = {}
    for name, value in options.items():
        try:
            made[name] = _value(name, value)
        except ConfigError as error:
            raise ConfigError(f"{where}: {name}: {error}") from None
    return made


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping) and "kind" in value:
        rest = {key: _value(key, item) for key, item in value.items() if key != "kind"}
        try:
            return values.create(value["kind"], **rest)
        except TypeError as error:
            raise ConfigError(f"{value['kind']}: {error}") from None
    if name in _ERRORS and isinstance(value, (str, list, tuple)):
        names = [value] if isinstance(value, str) else value
        return tuple(_error_type(one) if isinstance(one, str) else one for one in names)
    return value


def _error_type(name: str) -> type[BaseException]:
    """`TimeoutError`, or `package.module.Name`."""
    module, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module) if module else builtins, last)
    except (ImportError, AttributeError):
        raise ConfigError(f"there is no exception {name!r}; write it like TimeoutError or httpx.ReadTimeout") from None
    if not isinstance(found, type) or not issubclass(found, BaseException):
        raise ConfigError(f"{name!r} is no exception type, but {found!r}")
    return found


def read_toml(source: str | Path) -> dict[str, Any]:
    """The tables of TOML text, or of a file given as a Path."""
    try:
        return tomllib.loads(source.read_text() if isinstance(source, Path) else source)
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source if isinstance(source, Path) else 'the text'} is not TOML: {error}") from None


def overlaid(base: Mapping[str, Any], prefix: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """`base` with options from variables `PREFIX__POLICY__OPTION`."""
    environment = os.environ if environment is None else environment
    entries = [dict(entry) for entry in base.get("policies", ())]
    for variable, text in sorted(environment.items()):
        parts = variable.split("__")
        if len(parts) != 3 or parts[0] != prefix.upper():
            continue
        chosen = [e for e in entries if parts[1] in (str(e.get("name", "")).upper(), str(e.get("type", "")).upper())]
        if not chosen:
            names = ", ".join(str(e.get("name", e.get("type"))).upper() for e in entries)
            raise ConfigError(f"{variable} names no policy of the pipeline; there is: {names}")
        for entry in chosen:
            entry[parts[2].lower()] = _scalar(text)
    return {**base, "policies": entries}


def _scalar(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
