"""A predicate of label values that query languages can say too."""

from __future__ import annotations

import re

from seawall.errors import ConfigError


class Matching:
    """Label values that a regular expression matches whole, for a `Selector` that is also drawn in Grafana.

    Any predicate selects series of a recording; PromQL knows only this one. Keep to what RE2 has: no look-around, no
    back-references.

    Args:
        pattern: What the whole value must look like.
        negate: The values that do not look like it.

    Raises:
        ConfigError: the pattern is no regular expression.

    Example:
        >>> failed = Matching("5..")
        >>> failed("503"), failed("5030"), Matching("5..", negate=True)("200")
        (True, False, True)
    """

    __slots__ = ("_expression", "negate", "pattern")

    def __init__(self, pattern: str, *, negate: bool = False) -> None:
        try:
            # As RE2 anchors a matcher, and with dots that match newlines, as Prometheus compiles it.
            self._expression = re.compile(pattern, re.DOTALL)
        except re.error as error:
            raise ConfigError(f"pattern must be a regular expression, got {pattern!r}: {error}") from error
        self.pattern = pattern
        self.negate = negate

    def __call__(self, value: str) -> bool:
        """Whether a value is meant."""
        return (self._expression.fullmatch(value) is None) is self.negate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matching) and (self.pattern, self.negate) == (other.pattern, other.negate)

    def __hash__(self) -> int:
        return hash((self.pattern, self.negate))

    def __repr__(self) -> str:
        return f"Matching({self.pattern!r}{', negate=True' if self.negate else ''})"
