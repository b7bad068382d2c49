"""What definitions have in common: names that stay in records, and policies of what is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from seawall.errors import ConfigError
from seawall.guard.retry import Exponential, Retry
from seawall.guard.timeout import Timeout

Action = Callable[[Any], Any]
_LONGEST_NAME = 100


class Definition(Protocol):
    """What a transaction is to do, under a name by which any process finds it."""

    @property
    def name(self) -> str:
        """In the records."""

    @property
    def shape(self) -> Any:
        """Names of its steps, as records keep them: one of another shape is not gone on with."""

    @property
    def deadline_us(self) -> int | None:
        """Microseconds from the beginning."""

    def policy(self, step: str, operation: str) -> Retry:
        """The retry of an operation."""


def first_tries(name: str) -> Retry:
    """While there is a way back: three attempts, for errors worth it."""
    return Retry(3, backoff=Exponential(0.1, 2.0, 10.0), name=name)


def must_succeed(name: str) -> Retry:
    """Where there is no way back: whatever was raised, the next attempt may succeed."""
    return Retry(10, on=Exception, backoff=Exponential(0.1, 2.0, 60.0), name=name)


def check_name(name: object, *, of_step: bool = False) -> None:
    """Refuse what cannot be a name; those of steps are parts of keys."""
    is_text = isinstance(name, str) and name.isprintable() and 1 <= len(name.encode()) <= _LONGEST_NAME
    if not is_text or (of_step and "/" in str(name)):
        without = " without '/'" if of_step else ""
        raise ConfigError(f"name must be text of 1 to {_LONGEST_NAME} bytes{without}, got {name!r}")


def check_policies(step: object, whose: str, *options: str) -> None:
    """Refuse a retry that is none."""
    for what in options:
        policy = getattr(step, what)
        if policy is not None and not isinstance(policy, Retry):
            raise ConfigError(f"{what} of {whose} must be a Retry, got {policy!r}")


def guard_of(timeout: Any, name: str) -> Timeout | None:
    """Made with the definition: a time that can never work is found there, not on the first call."""
    return None if timeout is None else Timeout(timeout, name=name)


def check_unique(names: list[str], whose: str, what: str) -> None:
    """Refuse two steps of one name."""
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"{whose} has two {what} named {twice!r}; their records would be mixed up")
