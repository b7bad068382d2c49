"""Nodes: what they are called, how much they weigh, where they stand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from seawall.errors import ConfigError

LIGHTEST, HEAVIEST = 0.001, 1_000_000.0
MOST_NODES = 1_000_000


@dataclass(frozen=True, slots=True)
class Node:
    """One of those among which keys are placed.

    Args:
        name: By which everybody knows it, such as its address; it alone decides which keys the node has.
        weight: How many times the keys of a node of weight 1 it has, 0.001 to 1,000,000.
        zone: What fails together, such as a rack or a data centre; None: the node is a zone of its own.
    """

    name: str
    weight: float = 1.0
    zone: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigError(f"the name of a node must be a text that is not empty, got {self.name!r}")
        try:
            self.name.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(f"the name of a node must be text that UTF-8 can say, got {self.name!r}") from error
        object.__setattr__(self, "weight", _weight(self.name, self.weight))
        if self.zone is not None and not isinstance(self.zone, str):
            raise ConfigError(f"the zone of node {self.name!r} must be a text or None, got {self.zone!r}")


Nodes = Iterable[str | Node] | Mapping[str, float]


def _weight(name: str, weight: object) -> float:
    if isinstance(weight, bool) or not isinstance(weight, (int, float)):
        raise ConfigError(f"the weight of node {name!r} must be a number, got {weight!r}")
    if not LIGHTEST <= weight <= HEAVIEST or math.isnan(weight):
        raise ConfigError(
            f"the weight of node {name!r} must be {LIGHTEST} to {HEAVIEST:,.0f}, got {weight}; "
            "to take no keys to a node, leave it out"
        )
    return float(weight)


def listed(nodes: Nodes) -> list[Node]:
    """Nodes from names, from weights by name, or as they are."""
    if isinstance(nodes, (str, bytes, Node)) or not isinstance(nodes, Iterable):
        raise ConfigError(f"nodes must be several names, Nodes or weights by name, got {nodes!r}; put it in a list")
    if isinstance(nodes, Mapping):
        return [Node(name, weight) for name, weight in nodes.items()]
    return [node if isinstance(node, Node) else Node(node) for node in nodes]


def in_order(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Nodes by name, which is the order of their indices: the same whoever came first."""
    ordered = tuple(sorted(nodes, key=lambda node: node.name))
    if not 1 <= len(ordered) <= MOST_NODES:
        raise ConfigError(f"nodes must be 1 to {MOST_NODES:,}, got {len(ordered)}")
    for before, after in pairwise(ordered):
        if before.name == after.name:
            raise ConfigError(f"every node must have a name of its own, got {after.name!r} twice")
    return ordered


def zone_numbers(nodes: tuple[Node, ...]) -> tuple[int, ...]:
    """A number for the zone of each node."""
    known: dict[tuple[str, str], int] = {}
    keys = (("zone", node.zone) if node.zone is not None else ("node", node.name) for node in nodes)
    return tuple(known.setdefault(key, len(known)) for key in keys)


def renumbered(old: tuple[Node, ...], new: tuple[Node, ...]) -> list[int]:
    """For each of `old` the index of its name in `new`, -1 where it is gone."""
    index = {node.name: i for i, node in enumerate(new)}
    return [index.get(node.name, -1) for node in old]
