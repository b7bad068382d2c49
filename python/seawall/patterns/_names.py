"""Names as registries and options know them, and how a misspelt one is explained."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from seawall._errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


def checked_name(name: object, what: str) -> str:
    """`name`, if it can be one.

    Raises:
        ConfigError: It is not 1 to 64 of `a-z 0-9 _ . -` with a letter first.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            f"a name in {what} must be 1 to 64 of a-z, 0-9, '_', '.' and '-', a letter first, got {name!r}"
        )
    return name


def nearest(name: object, names: Iterable[str]) -> str:
    """The words "; did you mean 'x'?" for the nearest spelling, or nothing."""
    close = difflib.get_close_matches(str(name), list(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def listed(names: Iterable[str]) -> str:
    """The names, for people."""
    return ", ".join(sorted(names)) or "nothing"
