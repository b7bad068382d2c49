"""Options as rows of a Markdown table."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any

from seawall.patterns._option import Spec


def row(spec: Spec) -> str:
    """One option as a row."""
    cells = (f"`{spec.name}`", _default(spec.default), spec.unit, _range(spec), spec.help)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: Any) -> str:
    if value is dataclasses.MISSING:
        return "required"
    if isinstance(value, Enum):
        return f"`{value.value!r}`"
    if callable(value):
        return f"`{getattr(value, '__qualname__', repr(value))}`"
    return f"`{value!r}`"


def _range(spec: Spec) -> str:
    words = spec.range() if spec.kind in (int, float) else ""
    if spec.choices:
        words = ", ".join(f"`{(c.value if isinstance(c, Enum) else c)!r}`" for c in spec.choices)
    return f"{words} or None".strip() if spec.optional else words
