"""The port for limits across machines: read, decide, replace, in one atomic step and one round trip."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from seawall.engines._ports._checks import name_of
from seawall.engines._ports._rules import Reading, Rule
from seawall.engines.operation import Op, awaitable, blocking
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from seawall.engines._driver import Driver
    from seawall.engines._guarantees import Guarantees

MAX_RULES = 16


class Meter(ABC):
    """Limits whose state lives in the engine. Made by `Engine.meter(namespace)`.

    Guarantees: an update is one atomic step by the clock that `guarantees.clock` names; of several rules all admit and
    all are charged, or none is. The decision is data, so that it runs where the state is; `decide` in this package is
    the reference that every engine must agree with. State that is fully replenished may be forgotten.

    Thread safety: yes. Every call has a twin `..._async` for tasks.

    For engines: subclass, and write the operations that are abstract here; arguments have been checked.
    """

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees) -> None:
        self._driver = driver
        self.namespace = namespace
        self.guarantees = guarantees

    # What an engine writes.

    @abstractmethod
    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        """Decide all rules at one instant; store their new states if all admit and `consume`."""

    @abstractmethod
    def _reset(self, key: str) -> Op[bool]:
        """Forget the state of a key; False when there was none."""

    # What callers use.

    def _do_update(self, key: str, rule: Rule, *, consume: bool = True) -> Op[Reading]:
        """Ask one limit.

        Args:
            key: Whose limit, 1 to 512 bytes; one key is always used with one kind of rule.
            rule: Which limit, and at what cost. Parameters may change from call to call: the state is kept.
            consume: False only looks.

        Raises:
            UnknownOutcome: The answer was lost; the cost may have been charged.
        """
        return (yield from self._update(((name_of(key, "key"), _rule(rule)),), consume))[0]

    def _do_update_all(self, *rules: tuple[str, Rule], consume: bool = True) -> Op[tuple[Reading, ...]]:
        """Ask 1 to 16 limits with different keys, as (key, rule): all admit or nothing is charged.

        Each reading says what its own rule would have said; the call is admitted when all are.
        """
        if not 1 <= len(rules) <= MAX_RULES:
            raise ConfigError(f"rules must be 1 to {MAX_RULES}, got {len(rules)}")
        checked = tuple((name_of(key, "key"), _rule(rule)) for key, rule in rules)
        if len({key for key, _ in checked}) < len(checked):
            raise ConfigError(f"the keys of one update must differ, got {[key for key, _ in checked]}")
        return (yield from self._update(checked, consume))

    def _do_reset(self, key: str) -> Op[bool]:
        """Forget what a key has used; False when nothing was remembered."""
        return (yield from self._reset(name_of(key, "key")))

    update, update_async = blocking(_do_update), awaitable(_do_update)
    update_all, update_all_async = blocking(_do_update_all), awaitable(_do_update_all)
    reset, reset_async = blocking(_do_reset), awaitable(_do_reset)


def _rule(rule: Rule) -> Rule:
    if not isinstance(rule, Rule):
        raise ConfigError(f"rule must be a Rule, got {rule!r}")
    return rule
