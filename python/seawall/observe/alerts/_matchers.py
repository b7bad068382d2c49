"""Which alerts a route, a silence or an inhibition means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from seawall.errors import ConfigError

Op = Literal["=", "!=", "=~", "!~"]
Matching = "Mapping[str, str] | str | Matcher | Iterable[str | Matcher]"
_TEXT = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s][^"]*?))\s*')


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a label must be. A label that is missing is "".

    Args:
        name: Of the label.
        op: "=", "!=", "=~" (a regular expression matches all of it) or "!~".
        value: What it is compared with.

    Example:
        >>> Matcher.parse('severity=~"page|ticket"').matches({"severity": "page"})
        True
    """

    name: str
    op: Op
    value: str

    def __post_init__(self) -> None:
        if self.op not in ("=", "!=", "=~", "!~"):
            raise ConfigError(f"a matcher's op must be '=', '!=', '=~' or '!~', got {self.op!r}")
        if not isinstance(self.name, str) or not isinstance(self.value, str):
            raise ConfigError(f"a matcher's name and value must be texts, got {self.name!r} and {self.value!r}")
        if self.op in ("=~", "!~"):
            try:
                re.compile(self.value)
            except re.error as error:
                raise ConfigError(f"matcher {self} is no regular expression: {error}") from error

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """What `str` writes: `severity="page"`; the quotes may be left out."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise ConfigError(f'a matcher must be written like severity="page" or route=~"/a.*", got {text!r}')
        name, op, quoted, bare = found.groups()
        value = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], quoted) if quoted is not None else bare
        return cls(name, op, value)  # type: ignore[arg-type]  # the pattern knows no other op

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the label is so."""
        value = labels.get(self.name, "")
        same = value == self.value if self.op in ("=", "!=") else re.fullmatch(self.value, value) is not None
        return same == (self.op in ("=", "=~"))

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{value}"'


def matchers_of(what: Mapping[str, str] | str | Matcher | Iterable[str | Matcher]) -> tuple[Matcher, ...]:
    """Matchers, however they are written: a mapping of labels to values, texts, or matchers; all must match."""
    if isinstance(what, Mapping):
        return tuple(Matcher(name, "=", value) for name, value in what.items())
    if isinstance(what, (str, Matcher)):
        what = (what,)
    return tuple(each if isinstance(each, Matcher) else Matcher.parse(each) for each in what)


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every one matches."""
    return all(matcher.matches(labels) for matcher in matchers)
