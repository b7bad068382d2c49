"""Every error seawall raises on purpose.

::

    SeawallError
    ├── Rejected            a guard refused a call: retry_after, policy, key, state
    │   └── RateLimited     a limit was reached
    ├── ConfigError         an option or argument that can never work (also a ValueError)
    └── SegmentError        a shared memory segment that cannot be used
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


class SeawallError(Exception):
    """The base of all errors raised by seawall."""


class ConfigError(SeawallError, ValueError):
    """An option or argument can never work; the message names the value, the range and the way out."""


class SegmentError(SeawallError):
    """A shared memory segment cannot be created, attached or used as asked; the message says why and what to do."""


class Rejected(SeawallError):
    """A guard refused a call.

    Units: `retry_after` is in seconds from the refusal; None when no time can be given.

    Args:
        message: What happened, for people.
        retry_after: When the same call may be admitted.
        policy: Name of the policy that refused.
        key: The key it was refused for; None where the policy has no keys.
        state: The policy's state at the refusal, for policies that have one.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        policy: str | None = None,
        key: Hashable = None,
        state: str | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.policy = policy
        self.key = key
        self.state = state

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own __reduce__ forgets keyword-only arguments; refusals cross process pools.
        return _rebuild, (type(self), self.args[0], self.__dict__)


class RateLimited(Rejected):
    """A limit was reached."""


def _rebuild(kind: type[Rejected], message: str, fields: dict[str, Any]) -> Rejected:
    error = kind(message)
    error.__dict__.update(fields)
    return error
