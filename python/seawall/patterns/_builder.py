"""Builder: options step by step, everything wrong told at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from seawall.patterns._options import Options, as_error, faults_of

O = TypeVar("O", bound=Options)  # noqa: E741


class Builder(Generic[O]):
    """Collects values for an `Options` class.

    Guarantees: `build` tells everything that is wrong in one error. What was built does not change with the builder,
    which can go on and build again.

    Thread safety: one thread at a time.

    Args:
        options: The class to build.

    Example:
        >>> from seawall.patterns import Options, option
        >>> class Doors(Options):
        ...     width: float = option(unit="m", above=0, help="clear width")
        ...     locked: bool = option(default=False, help="whether it is locked")
        >>> Builder(Doors).set("width", 2).build()
        Doors(width=2.0, locked=False)
    """

    __slots__ = ("_values", "options")

    def __init__(self, options: type[O]) -> None:
        self.options = options
        self._values: dict[str, Any] = {}

    def set(self, name: str, value: Any) -> Builder[O]:
        """Take a value; a later one for the same name replaces it."""
        self._values[name] = value
        return self

    def update(self, values: Mapping[str, Any]) -> Builder[O]:
        """Take several values."""
        self._values.update(values)
        return self

    def unset(self, name: str) -> Builder[O]:
        """Go back to the default."""
        self._values.pop(name, None)
        return self

    def problems(self) -> tuple[str, ...]:
        """What is wrong so far, a sentence each; checks across options run only when each one alone is good."""
        return faults_of(self.options, self._values)

    def build(self) -> O:
        """The options.

        Raises:
            ConfigError: Values are wrong, missing, or not known; all are told at once.
        """
        problems = self.problems()
        if problems:
            raise as_error(self.options, problems)
        return self.options(**self._values)

    def __repr__(self) -> str:
        return f"Builder({self.options.__qualname__}, {self._values!r})"
