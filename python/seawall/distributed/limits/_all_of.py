"""Several limits across machines as one: all admit a call, or none does, in one round trip."""

from __future__ import annotations

from typing import Any, Unpack

from seawall.distributed.limits._keyed import Keyed
from seawall.distributed.limits._levels import Key, Keys, Level
from seawall.distributed.limits._limit import Limit
from seawall.distributed.limits._options import Common
from seawall.engines import Engine
from seawall.errors import ConfigError
from seawall.guard._policy import name_of


class AllOf(Limit):
    """Admits a call through all of its limits or through none, in one atomic step of the engine.

    Guarantees: a call refused by one limit takes nothing from the others. `keyed()` gives each key all of the limits.
    Cost: one round trip.

    Args:
        limits: Of one engine and namespace, with different names, 2 to 16; what they are used for elsewhere counts.
        name: For messages and statistics.
        common: As for TokenBucket; `namespace` is that of the limits.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.engines import open_engine
        >>> engine = open_engine("memory://", clock=ManualClock())
        >>> from seawall.distributed.limits import TokenBucket
        >>> second = TokenBucket(10, engine=engine, name="a second")
        >>> minute = TokenBucket(3, per=60, engine=engine, name="a minute")
        >>> both = AllOf(second, minute)
        >>> [both.try_acquire() for _ in range(4)]
        [True, True, True, False]
        >>> both.check().name
        'a minute'
    """

    def __init__(self, *limits: Limit, name: str = "all_of", **common: Unpack[Common]) -> None:
        engine, namespace, levels = _levels_of(limits, "AllOf")
        self.limits = limits
        self._setup(engine, name_of(name, "all_of"), levels, {**common, "namespace": namespace})


class Hierarchy(Keyed):
    """Limits by the levels of a path: everybody, then each tenant, then each user of a tenant; all admit or none does.

    The key is a tuple with one part for each level but the first: for `Hierarchy(everybody, tenant, user)` the key
    ("acme", "ann") is counted by `everybody`, by `tenant` for ("acme",) and by `user` for ("acme", "ann").

    Guarantees: one atomic step and one round trip; a call refused at one level takes nothing from the others.

    Args:
        limits: From the root to the leaves; of one engine and namespace, with different names, 2 to 16.
        name: For messages and statistics.
        max_keys: How many keys of a level find room in this process while the engine is away.
        common: As for TokenBucket; `namespace` is that of the limits.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.engines import open_engine
        >>> engine = open_engine("memory://", clock=ManualClock())
        >>> from seawall.distributed.limits import TokenBucket
        >>> levels = Hierarchy(
        ...     TokenBucket(100, engine=engine, name="everybody"), TokenBucket(2, engine=engine, name="tenant")
        ... )
        >>> [levels.try_acquire((tenant,)) for tenant in ("acme", "acme", "acme", "ajax")]
        [True, True, False, True]
    """

    def __init__(
        self, *limits: Limit, name: str = "hierarchy", max_keys: int = 100_000, **common: Unpack[Common]
    ) -> None:
        engine, namespace, levels = _levels_of(limits, "Hierarchy")
        self.limits = limits
        super().__init__(_Row(engine, name, levels, {**common, "namespace": namespace}), max_keys)

    def _keys_of(self, key: Any) -> Keys:
        depth = len(self._asker.levels) - 1
        if not isinstance(key, tuple) or len(key) != depth:
            raise TypeError(f"the key of {self._asker.name} must be a tuple of {depth}, got {key!r}")
        parts: list[Key | None] = [None, *(key[: i + 1] for i in range(depth))]
        return tuple(parts)


class _Row(Limit):
    """The levels of a hierarchy, as a limit that is only asked with keys."""

    def __init__(self, engine: Engine, name: str, levels: tuple[Level, ...], options: Common) -> None:
        self._setup(engine, name_of(name, "hierarchy"), levels, options)


def _levels_of(limits: tuple[Limit, ...], what: str) -> tuple[Engine, str, tuple[Level, ...]]:
    """Engine, namespace and levels of limits that can be asked together."""
    if len(limits) < 2:
        raise ConfigError(f"{what} needs at least two limits, got {len(limits)}")
    for one in limits:
        if not isinstance(one, Limit):
            raise ConfigError(f"{what} is made of limits across machines, got {one!r}; distribute() makes one")
    first = limits[0]._asker
    for one in limits:
        if one._asker.engine is not first.engine or one._asker.options.namespace != first.options.namespace:
            raise ConfigError(
                f"the limits of one {what} must be in one engine and namespace, got {one.name} in "
                f"{one._asker.engine.name} {one._asker.options.namespace!r} beside {first.name} in "
                f"{first.engine.name} {first.options.namespace!r}"
            )
    return first.engine, first.options.namespace, tuple(level for one in limits for level in one._asker.levels)
