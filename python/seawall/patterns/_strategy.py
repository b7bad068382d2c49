"""Strategy: one of several algorithms with one protocol, exchangeable while it is in use."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from seawall._errors import ConfigError
from seawall.patterns._adapter import conform, is_protocol
from seawall.patterns._names import listed, nearest
from seawall.patterns._registry import Registry
from seawall.patterns._signal import Signal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StrategyChanged:
    """Another algorithm is in use.

    Args:
        strategy: Name of the strategy.
        before: Name of the algorithm until now.
        after: Name of the algorithm from now on.
    """

    strategy: str
    before: str
    after: str


class Strategy(Generic[T]):
    """The algorithm in use, by name.

    Guarantees: A switch is one step: every call runs wholly with one algorithm, and whoever is under way finishes with
    the one they began with. Who needs several calls with the same one takes a `snapshot()`.

    Thread safety: yes. Reading takes no lock. `changed` is sent in the switcher's thread, after the switch.

    Args:
        choices: A registry (an algorithm is created each time it is chosen), or a mapping of names to algorithms.
        initial: Name or object to begin with.
        name: What messages and events call it; by default the registry's name.

    Example:
        >>> order = Strategy({"up": sorted, "as_is": list}, "up", name="order")
        >>> order([2, 1])
        [1, 2]
        >>> order.use("as_is")
        >>> order([2, 1]), order.current_name
        ([2, 1], 'as_is')
    """

    def __init__(self, choices: Registry[T] | Mapping[str, T], initial: str | T, *, name: str | None = None) -> None:
        self.name = name or (choices.name if isinstance(choices, Registry) else "strategy")
        self.changed: Signal[StrategyChanged] = Signal(f"{self.name}.changed", StrategyChanged)
        self._choices = choices
        self._lock = threading.Lock()
        self._now: tuple[str, T] = self._find(initial)

    @property
    def current(self) -> T:
        """The algorithm in use."""
        return self._now[1]

    @property
    def current_name(self) -> str:
        """Its name; for an object that was not chosen by name, the name of its type or function."""
        return self._now[0]

    def snapshot(self) -> T:
        """The algorithm in use, for several calls that must agree; a switch does not touch it."""
        return self._now[1]

    def names(self) -> tuple[str, ...]:
        """What can be chosen by name."""
        return self._choices.names() if isinstance(self._choices, Registry) else tuple(sorted(self._choices))

    def use(self, choice: str | T) -> None:
        """Switch to the algorithm of that name, or to this object.

        Raises:
            ConfigError: There is no such name, or the object lacks what the protocol asks for.
        """
        found = self._find(choice)
        with self._lock:
            before, self._now = self._now, found
        if self.changed and (before[0] != found[0] or before[1] is not found[1]):
            self.changed.send(StrategyChanged(self.name, before[0], found[0]))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        algorithm: Any = self._now[1]
        return algorithm(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__qualname__!r} object has no attribute {name!r}")
        return getattr(self._now[1], name)

    def __repr__(self) -> str:
        return f"<Strategy {self.name}: {self.current_name} of {listed(self.names())}>"

    def _find(self, choice: str | T) -> tuple[str, T]:
        if isinstance(choice, str):
            return choice, self._by_name(choice)
        base = self._choices.base if isinstance(self._choices, Registry) else None
        if base is not None and is_protocol(base):
            conform(choice, base)
        elif base is not None and not isinstance(choice, base):
            raise ConfigError(f"{self.name} must use a {base.__qualname__}, got {choice!r}")
        return getattr(choice, "__qualname__", type(choice).__qualname__), choice

    def _by_name(self, name: str) -> T:
        if isinstance(self._choices, Registry):
            return self._choices.create(name)
        if name not in self._choices:
            raise ConfigError(
                f"{self.name} has no {name!r}{nearest(name, self._choices) or ';'} there is: {listed(self._choices)}"
            )
        return self._choices[name]
