"""Texts with names in braces, filled in without ever failing."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from seawall.errors import ConfigError

LONGEST = 20_000


def fill(text: str, names: Mapping[str, Any]) -> str:
    """A text with its names filled in; never fails."""
    return _Filling().vformat(text, (), names)[:LONGEST]


def checked_text(text: Any) -> str:
    """A text whose braces are in order.

    Raises:
        ConfigError: they are not.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"a template must have names in braces, such as {{value}}, got {text!r}: {error}") from error
    for _, name, spec, _ in parts:
        if name is not None and (not name.isidentifier() or "{" in (spec or "")):
            raise ConfigError(f"a template may name plain fields only, such as {{value}}, got {{{name}}} in {text!r}")
    return str(text)


class _Filling(string.Formatter):
    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, str]:  # noqa: ARG002 - of Formatter
        # Never into attributes or items: what comes from labels is data.
        return kwargs.get(field_name, _MISSING), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is _MISSING or value is None:
            return "?"
        try:
            return format(value, format_spec)
        except (ValueError, TypeError):
            return str(value)


_MISSING = object()
