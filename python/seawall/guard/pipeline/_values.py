"""Options as a configuration writes them, made into what a policy takes."""

from __future__ import annotations

import builtins
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from seawall.errors import ConfigError
from seawall.guard.pipeline._kinds import values

_ERRORS = ("on", "ignore")


def resolved(where: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Structured values made, names of exceptions looked up."""
    made: dict[str, Any] = {}
    for name, value in options.items():
        try:
            made[name] = _value(name, value)
        except ConfigError as error:
            raise ConfigError(f"{where}: {name}: {error}") from None
    return made


def checked(where: str, factory: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Whether a factory takes these options, before it is called: a TypeError from inside it is its own."""
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):  # functions of C extensions may not tell theirs
        return
    try:
        signature.bind(**options)
    except TypeError as error:
        known = ", ".join(signature.parameters)
        raise ConfigError(f"{where}: {error}; options are: {known}") from None


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping) and "kind" in value:
        return _structured(value)
    if name in _ERRORS and isinstance(value, (str, list, tuple)):
        names = [value] if isinstance(value, str) else value
        return tuple(_error_type(one) if isinstance(one, str) else one for one in names)
    return value


def _structured(value: Mapping[str, Any]) -> Any:
    kind = value["kind"]
    if not isinstance(kind, str):
        raise ConfigError(f"kind must be one of {', '.join(values.names())}, got {kind!r}")
    options = resolved(kind, {name: item for name, item in value.items() if name != "kind"})
    factory = values.get(kind)
    checked(kind, factory, options)
    try:
        return factory(**options)
    except ConfigError as error:
        raise ConfigError(f"{kind}: {error}") from None


def _error_type(name: str) -> type[BaseException]:
    """`TimeoutError`, or `package.module.Name`."""
    module, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module) if module else builtins, last)
    except (ImportError, AttributeError, TypeError, ValueError):  # TypeError: a name that begins with a dot
        raise ConfigError(f"there is no exception {name!r}; write it like TimeoutError or httpx.ReadTimeout") from None
    if not isinstance(found, type) or not issubclass(found, BaseException):
        raise ConfigError(f"{name!r} is no exception type, but {found!r}")
    return found
