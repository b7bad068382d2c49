"""The error of an export whose library is not installed."""

from __future__ import annotations

import importlib
from types import ModuleType

from seawall.errors import ConfigError


def needed(module: str, who: str, library: str, extra: str) -> ModuleType:
    """A module of a library that only some users have.

    Raises:
        ConfigError: it is not installed; the message says how to.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"{who} needs the library {library}: pip install 'seawall[{extra}]'") from error
