"""What all placements have in common: their nodes, changes of them, and batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from seawall.distributed.hashing._keys import Key, stable_hash_many
from seawall.distributed.hashing._nodes import Node, in_order, listed
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from numpy import int32, uint64
    from numpy.typing import NDArray


class Members:
    """Nodes by name; every change makes a new object and leaves the old one as it is."""

    __slots__ = ()
    if TYPE_CHECKING:
        # Of the compiled class beside this one.
        names: tuple[str, ...]
        members: tuple[Node, ...]
        _settings: dict[str, Any]

    def add(self, *nodes: str | Node) -> Self:
        """The same with more nodes.

        Raises:
            ConfigError: When a name is there already; `with_` replaces.
        """
        added = listed(nodes)
        for node in added:
            if node.name in self:
                raise ConfigError(f"node {node.name!r} is there already; use with_() to change it")
        return self._with_members(in_order([*self.members, *added]))

    def remove(self, *names: str) -> Self:
        """The same without some nodes.

        Raises:
            ConfigError: When a name is not there, or no node would be left.
        """
        for name in names:
            if name not in self:
                raise ConfigError(f"node {name!r} cannot be removed, for it is not there")
        return self._with_members(in_order(node for node in self.members if node.name not in names))

    def with_(self, *nodes: str | Node) -> Self:
        """The same with nodes that are added, or take the place of those with their names."""
        put = {node.name: node for node in in_order(listed(nodes))} if nodes else {}
        kept = [node for node in self.members if node.name not in put]
        return self._with_members(in_order([*kept, *put.values()]))

    def lookup_many(self, keys: Sequence[Key] | NDArray[Any]) -> NDArray[int32]:
        """Where each key belongs, as indices into `names`; the same as `node` of each.

        Shapes: `keys` n keys, or an (n,) array of whole numbers or text; the answer (n,) int32.
        """
        return self._owners(stable_hash_many(keys))

    def node_many(self, keys: Sequence[Key] | NDArray[Any]) -> list[str]:
        """The name of the node of each key."""
        return [self.names[index] for index in self.lookup_many(keys).tolist()]

    def _with_members(self, nodes: tuple[Node, ...]) -> Self:
        raise NotImplementedError

    def _owners(self, hashes: NDArray[uint64]) -> NDArray[int32]:
        raise NotImplementedError

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.members == other.members and self._settings == other._settings

    def __hash__(self) -> int:
        return hash((type(self), self.members))

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), self.members, self._settings)


def _made(kind: Any, nodes: tuple[Node, ...], settings: dict[str, Any]) -> Any:
    return kind(nodes, **settings)
