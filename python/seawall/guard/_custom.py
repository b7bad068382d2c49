"""Policies of one's own."""

from __future__ import annotations

from typing import Any, Protocol

from seawall._core import policy as _core
from seawall.clock import Clock
from seawall.guard._policy import Face, name_of
from seawall.patterns import conform


class Hooks(Protocol):
    """What an object needs to stand in a Pipeline: to say whether a call may pass, and to hear how it ended.

    `before` refuses by raising, best a subclass of Rejected; what it returns is given back to `after`. `after` runs
    once for every call that `before` let in, cancelled ones too, and may raise an error of its own instead.
    """

    def before(self) -> Any: ...
    def after(self, token: Any, result: Any, error: BaseException | None) -> None: ...


class Custom(_core.Custom, Face):
    """A policy made of an object's hooks, with everything policies have: decorating, pipelines, shadow, enforce.

    Thread safety: that of the object. Cost: two Python calls.

    Args:
        hooks: An object with `before()` and `after(token, result, error)`.
        name: For messages; by default the object's type.
        clock: Where time comes from.
        shadow: Let pass whom `before` refuses.
        enforce: The share of refusals that stand, 0 to 1.

    Raises:
        ConfigError: The object lacks a hook; the message names what is missing.

    Example:
        >>> class Weekend:
        ...     def before(self):
        ...         return "token"
        ...     def after(self, token, result, error):
        ...         print(token, result, error)
        >>> Custom(Weekend()).call(lambda: 7)
        token 7 None
        7
    """

    def __init__(
        self,
        hooks: Hooks,
        *,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        self.hooks = conform(hooks, Hooks)
        self._begin(name_of(name, type(hooks).__name__), clock, shadow, enforce)
        self.before = self.hooks.before
        self.after = self.hooks.after

    def stats(self) -> Any:
        """What the object tells of itself, if anything."""
        tell = getattr(self.hooks, "stats", None)
        return tell() if tell is not None else None

    def __repr__(self) -> str:
        return f"<Custom {self.name!r}: {self.hooks!r}>"
