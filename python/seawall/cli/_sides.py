"""The sides of a comparison as people type them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seawall.errors import ConfigError


def two_sides(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Before and after: each a file, files joined by commas, or a folder.

    Raises:
        ConfigError: There are not two, or a side is empty.
    """
    if len(words) != 2:
        raise ConfigError(
            f"compare takes two sides, before and after, got {len(words)}; join several runs of a side by commas, give "
            "a folder of them, or name a baseline with --baseline"
        )
    return side(words[0]), side(words[1])


def side(word: str) -> list[str]:
    """The files and folders of one side."""
    # A name with a comma in it is a name where there is such a file.
    parts = [word] if Path(word).exists() else word.split(",")
    if not all(parts):
        raise ConfigError(f"side must be files joined by commas, got {word!r}; for example before-1.json,before-2.json")
    return parts
