"""Chance that can be repeated."""

from __future__ import annotations

import os
import random
import secrets

from seawall.errors import ConfigError

VARIABLE = "SEAWALL_SEED"


class Seeded(random.Random):
    """A `random.Random` that knows its seed, so that a test that failed can be repeated.

    Args:
        seed: The seed; by default the environment variable SEAWALL_SEED, else a new one.

    Raises:
        ConfigError: SEAWALL_SEED is not a whole number.

    Example:
        >>> Seeded(7)
        Seeded(7)
        >>> Seeded(7).randrange(100) == Seeded(7).randrange(100)
        True
    """

    def __new__(cls, seed: int | None = None) -> Seeded:
        """A generator of its own."""
        del seed
        return super().__new__(cls)

    def __init__(self, seed: int | None = None) -> None:
        self.origin = fresh_seed() if seed is None else seed
        super().__init__(self.origin)

    def __repr__(self) -> str:
        return f"Seeded({self.origin})"


def fresh_seed() -> int:
    """SEAWALL_SEED, else a seed nobody has seen."""
    text = os.environ.get(VARIABLE)
    if text is None:
        return secrets.randbits(32)
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{VARIABLE} must be a whole number, got {text!r}") from None
