"""Strategies: chosen by name, exchanged while in use."""

from __future__ import annotations

import re
import threading
from typing import Protocol

import pytest

from seawall.errors import ConfigError
from seawall.patterns import Registry, Strategy, StrategyChanged


class Order(Protocol):
    def pick(self, items: list[int]) -> int: ...


class First:
    label = "first"

    def pick(self, items: list[int]) -> int:
        return items[0]


class Largest:
    label = "largest"

    def pick(self, items: list[int]) -> int:
        return max(items)


def orders() -> Registry[Order]:
    """Two orders by name."""
    registry: Registry[Order] = Registry("orders", Order)
    registry.register("first", First)
    registry.register("largest", Largest)
    return registry


def test_calls_go_to_the_algorithm_in_use() -> None:
    """Methods and attributes are those of the current one."""
    strategy = Strategy(orders(), "first")
    assert strategy.pick([1, 3, 2]) == 1
    strategy.use("largest")
    assert strategy.pick([1, 3, 2]) == 3
    assert (strategy.label, strategy.current_name) == ("largest", "largest")
    assert isinstance(strategy.current, Largest)
    assert repr(strategy) == "<Strategy orders: largest of first, largest>"


def test_an_object_can_be_used_that_has_no_name() -> None:
    """It goes by the name of its type, or its own when it is a function."""
    strategy: Strategy[object] = Strategy({"up": sorted}, "up")
    strategy.use(max)
    assert (strategy([1, 3, 2]), strategy.current_name) == (3, "max")
    other = Strategy(orders(), Largest())
    assert other.current_name == "Largest"


def test_who_holds_a_snapshot_is_not_switched() -> None:
    """Several calls agree when they use one snapshot."""
    strategy = Strategy(orders(), "first")
    held = strategy.snapshot()
    strategy.use("largest")
    assert held.pick([1, 3]) == 1
    assert strategy.snapshot().pick([1, 3]) == 3


def test_a_switch_is_told_and_none_is_not() -> None:
    """`changed` says from what to what; choosing the same object again is no change."""
    strategy: Strategy[object] = Strategy({"up": sorted, "max": max}, "up", name="order")
    heard: list[StrategyChanged] = []
    strategy.changed.connect(heard.append)
    strategy.use("max")
    strategy.use("max")
    strategy.use("up")
    assert heard == [StrategyChanged("order", "up", "max"), StrategyChanged("order", "max", "up")]


def test_an_unknown_name_is_explained_and_changes_nothing() -> None:
    """For a mapping as for a registry."""
    strategy: Strategy[object] = Strategy({"up": sorted, "down": max}, "up", name="order")
    with pytest.raises(ConfigError, match=r"^order has no 'dwn'; did you mean 'down'\? there is: down, up$"):
        strategy.use("dwn")
    with pytest.raises(
        ConfigError, match=r"^orders has no 'lagest'; did you mean 'largest'\? there is: first, largest$"
    ):
        Strategy(orders(), "lagest")
    assert strategy.current_name == "up"


def test_an_object_must_keep_the_protocol() -> None:
    """An algorithm that lacks a part is refused when it is chosen, not when it is called."""
    strategy = Strategy(orders(), "first")
    with pytest.raises(ConfigError, match=r"^dict is no Order: pick is missing$"):
        strategy.use({})  # type: ignore[arg-type]
    lists: Strategy[list[int]] = Strategy(Registry("lists", list), [])
    with pytest.raises(ConfigError, match=re.escape("lists must use a list, got {}")):
        lists.use({})  # type: ignore[arg-type]


def test_private_names_are_not_delegated() -> None:
    """A missing attribute of the strategy itself is not looked for in the algorithm."""
    strategy = Strategy(orders(), "first")
    with pytest.raises(AttributeError, match=r"^'Strategy' object has no attribute '_nothing'$"):
        _ = strategy._nothing


def test_threads_see_whole_switches() -> None:
    """Name and object always belong together, whoever switches meanwhile."""
    strategy = Strategy(orders(), "first")
    barrier, wrong = threading.Barrier(3), []

    def switch() -> None:
        barrier.wait()
        for _ in range(300):
            strategy.use("largest")
            strategy.use("first")

    def read() -> None:
        barrier.wait()
        for _ in range(3000):
            if strategy.snapshot().pick([1, 2]) not in (1, 2):
                wrong.append(1)

    threads = [threading.Thread(target=work) for work in (switch, switch, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert strategy.current_name == "first"
