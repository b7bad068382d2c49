"""Limits as people write them: "100/second burst 20; 1000/hour"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from seawall.errors import ConfigError
from seawall.guard.limits import _options as options
from seawall.guard.limits._algorithms import TokenBucket
from seawall.guard.limits._all_of import AllOf

_WORDS = {
    "millisecond": 0.001,
    "sec": 1, "second": 1,
    "min": 60, "minute": 60,
    "hr": 3600, "hour": 3600,
    "day": 86_400,
}  # fmt: skip
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400} | _WORDS | {f"{word}s": n for word, n in _WORDS.items()}
_RATE = re.compile(
    r"(?P<amount>[\d_,]*\.?\d+)\s*(?:/|per\b)\s*(?P<times>\d*\.?\d+)?\s*(?P<unit>[a-z]+)(?:\s+burst\s+(?P<burst>\d[\d_,]*))?",
    re.IGNORECASE,
)
_HELP = "write for example '100/second', '100/second burst 20', '5 per 10 minutes', several separated by ';'"


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` calls per `per` seconds, `burst` of them at once."""

    amount: float
    per: float
    burst: int

    def __str__(self) -> str:
        return f"{self.amount:g}/{self.per:g}s burst {self.burst}"


@dataclass(frozen=True, slots=True)
class Quota:
    """One or more rates that must all hold.

    Example:
        >>> Quota.parse("100/second burst 20; 1000/hour").rates
        (Rate(amount=100.0, per=1.0, burst=20), Rate(amount=1000.0, per=3600.0, burst=1000))
    """

    rates: tuple[Rate, ...]

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Read rates separated by semicolons; ConfigError names the part that cannot be read."""
        if not isinstance(text, str):
            raise ConfigError(f"a quota is text, got {text!r}; {_HELP}")
        parts = [part.strip() for part in text.split(";") if part.strip()]
        if not parts:
            raise ConfigError(f"a quota needs at least one rate, got {text!r}; {_HELP}")
        return cls(tuple(_rate(part) for part in parts))

    def limiter(self, *, name: str = "quota", **common: Any) -> TokenBucket | AllOf:
        """A token bucket a rate; several as AllOf. `common`: clock, shared, shadow, on_conflict, as for TokenBucket."""
        if len(self.rates) == 1:
            only = self.rates[0]
            return TokenBucket(only.amount, per=only.per, burst=only.burst, name=name, **common)
        # Slowest first: it is the one that refuses for long.
        ordered = sorted(self.rates, key=lambda r: r.amount / r.per)
        buckets = (
            TokenBucket(r.amount, per=r.per, burst=r.burst, name=f"{name}/{r.amount:g} per {r.per:g} s", **common)
            for r in ordered
        )
        return AllOf(*buckets, name=name)

    def __str__(self) -> str:
        return "; ".join(map(str, self.rates))


def _rate(part: str) -> Rate:
    match = _RATE.fullmatch(part)
    unit = match and _UNITS.get(match["unit"].lower())
    if not match or not unit:
        raise ConfigError(f"{part!r} is not a rate; {_HELP}")
    amount = float(match["amount"].replace(",", "").replace("_", ""))
    per = unit * float(match["times"] or 1)
    burst = int(match["burst"].replace(",", "").replace("_", "")) if match["burst"] else None
    plan = options.rate_plan(amount, per, burst, "burst")
    return Rate(amount, per, plan.limit)
