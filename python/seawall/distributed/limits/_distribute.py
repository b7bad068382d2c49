"""Makes a limit across machines of one that was written for this process."""

from __future__ import annotations

from typing import Any, Unpack

from seawall.distributed.limits._algorithms import FixedWindow, LeakyBucket, SlidingLog, SlidingWindow, TokenBucket
from seawall.distributed.limits._all_of import AllOf
from seawall.distributed.limits._limit import Limit
from seawall.distributed.limits._options import Common
from seawall.engines import Engine
from seawall.errors import ConfigError
from seawall.guard import limits as local

_WINDOWS: dict[type[local.Limit], type[Limit]] = {
    local.FixedWindow: FixedWindow,
    local.SlidingWindow: SlidingWindow,
    local.SlidingLog: SlidingLog,
}


def distribute(
    limit: local.Limit | local.AllOf | local.Quota | str,
    *,
    engine: Engine,
    name: str | None = None,
    **common: Unpack[Common],
) -> Limit:
    """The same limit across machines: of a local limit (an example, left as it is), an AllOf, a Quota or its text.

    Args:
        limit: What to hold to.
        engine: Where the state is.
        name: Of the limit; by default that of the local one.
        common: As for TokenBucket.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.engines import open_engine
        >>> engine = open_engine("memory://", clock=ManualClock())
        >>> api = distribute("100/second burst 20; 1000/hour", engine=engine, name="api")
        >>> sum(api.try_acquire() for _ in range(30))
        20
    """
    if isinstance(limit, str):
        limit = local.Quota.parse(limit)
    if isinstance(limit, local.Quota):
        return _of_quota(limit, name or "quota", engine, common)
    if isinstance(limit, local.AllOf):
        parts = [_of_limit(one, one.name, engine, common) for one in limit.limits]
        named = name or limit.name
        return AllOf(*parts, name=named, **common) if len(parts) > 1 else parts[0]
    if isinstance(limit, local.Limit):
        return _of_limit(limit, name or limit.name, engine, common)
    raise ConfigError(f"limit must be a local limit, an AllOf, a Quota or its text, got {limit!r}")


def _of_quota(quota: local.Quota, name: str, engine: Engine, common: Common) -> Limit:
    if len(quota.rates) == 1:
        only = quota.rates[0]
        return TokenBucket(only.amount, per=only.per, burst=only.burst, engine=engine, name=name, **common)
    parts = [
        TokenBucket(
            r.amount, per=r.per, burst=r.burst, engine=engine, name=f"{name}/{r.amount:g} per {r.per:g} s", **common
        )
        for r in quota.rates
    ]
    return AllOf(*parts, name=name, **common)


def _of_limit(limit: local.Limit, name: str, engine: Engine, common: Common) -> Limit:
    amount, period, most = limit._config()
    rest: dict[str, Any] = {"engine": engine, "name": name, **common}
    rest.setdefault("shadow", limit.shadow)
    rest.setdefault("enforce", limit.enforce)
    if isinstance(limit, local.TokenBucket):
        return TokenBucket(amount, per=period / 1e9, burst=most, **rest)
    if isinstance(limit, local.LeakyBucket):
        return LeakyBucket(amount, per=period / 1e9, capacity=most, **rest)
    return _WINDOWS[type(limit)](most, window=period / 1e9, **rest)  # type: ignore[call-arg]
