"""Who need not be told: silences, made by people for a time, and inhibitions, where one alert says it all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seawall.errors import ConfigError
from seawall.observe.alerts._checks import labels_of, name_of
from seawall.observe.alerts._matchers import Matcher, all_match, matchers_of

KEPT = 5 * 86_400.0
"""How long a silence that has ended is remembered."""
MOST_SILENCES = 1_000


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that all matchers match are not told from `starts_at` until before `ends_at`.

    Attributes:
        matchers: At least one of them refuses an alert without labels: nobody silences everything by mistake.
        starts_at: Unix seconds of people's time, which does not move when the clock is set.
        ends_at: The same.
        by: Who made it.
        why: What for.
    """

    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    by: str
    why: str

    def __post_init__(self) -> None:
        name_of(self.by, "by")
        name_of(self.why, "why", 1_000)
        if not self.starts_at < self.ends_at:
            raise ConfigError(f"a silence must end after it begins, got {self.starts_at:g} to {self.ends_at:g}")
        if all(matcher.matches({}) for matcher in self.matchers):
            raise ConfigError('a silence needs a matcher that does not match everything, such as alertname="Errors"')

    @property
    def id(self) -> str:
        """The same for the same silence."""
        said = "\n".join((*map(str, self.matchers), repr(self.starts_at), self.by, self.why))
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def silences(self, labels: Mapping[str, str], now: float) -> bool:
        """Whether an alert is silenced now."""
        return self.starts_at <= now < self.ends_at and all_match(self.matchers, labels)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "id": self.id, "matchers": [str(matcher) for matcher in self.matchers], "starts_at": self.starts_at,
            "ends_at": self.ends_at, "by": self.by, "why": self.why,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Silence:
        """What `to_dict` wrote."""
        return cls(matchers_of(data["matchers"]), data["starts_at"], data["ends_at"], data["by"], data["why"])


class Inhibition:
    """While an alert matched by `source` fires, those matched by `target` with equal labels are not told.

    An alert that is on both sides is not inhibited by another that is, too: none of two would be told.

    Args:
        source: Matchers.
        target: Matchers.
        equal: Labels whose values must be the same; missing and "" are the same.

    Example:
        >>> page_hides_ticket = Inhibition({"severity": "page"}, {"severity": "ticket"}, equal=("slo",))
        >>> page_hides_ticket.mutes({"severity": "ticket", "slo": "a"}, [{"severity": "page", "slo": "a"}])
        True
    """

    __slots__ = ("equal", "source", "target")

    def __init__(self, source: Any, target: Any, equal: Iterable[str] = ()) -> None:
        self.source, self.target = matchers_of(source), matchers_of(target)
        self.equal = labels_of(equal, "equal")
        if not self.source or not self.target:
            raise ConfigError("an inhibition needs source and target matchers, got none of one")

    def mutes(self, labels: Mapping[str, str], firing: Iterable[Mapping[str, str]]) -> bool:
        """Whether one of the firing alerts makes this one needless."""
        if not all_match(self.target, labels):
            return False
        both = all_match(self.source, labels)
        return any(
            all_match(self.source, other)
            and not (both and all_match(self.target, other))
            and all(labels.get(name, "") == other.get(name, "") for name in self.equal)
            for other in firing
        )

    def __repr__(self) -> str:
        return (
            f"<Inhibition of {_said(self.target)} by {_said(self.source)}, equal {', '.join(self.equal) or 'nothing'}>"
        )


def _said(matchers: Iterable[Matcher]) -> str:
    return "{" + ", ".join(map(str, matchers)) + "}"
