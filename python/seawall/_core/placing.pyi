"""Consistent hashing where it meets arrays."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy
from numpy.typing import NDArray
from typing_extensions import CapsuleType

def hash_keys(keys: tuple[Any, ...]) -> Annotated[NDArray[numpy.uint64], dict(shape=(None,))]:
    """The stable hash of each key: (n,) uint64."""

def hash_numbers(
    numbers: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)],
) -> Annotated[NDArray[numpy.uint64], dict(shape=(None,))]:
    """The stable hash of each number: (n,) uint64."""

def jump_many(
    hashes: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)], buckets: int
) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """The bucket of each hash: (n,) int32."""

def jump_numbers(
    numbers: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    buckets: int,
) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """The bucket of each number: (n,) int32."""

def ring(
    old: object | None, now: Sequence[int], names: Sequence[str], nodes: Sequence[int], points: Sequence[int]
) -> CapsuleType:
    """
    A ring with the nodes of `old` renumbered to `now` (-1: gone) and others added.
    """

def rendezvous(names: Sequence[str], weights: Sequence[float]) -> CapsuleType:
    """Nodes by rendezvous."""

def maglev(names: Sequence[str], weights: Sequence[float], slots: int) -> CapsuleType:
    """A filled table."""

def bounded(shares: Sequence[float], headroom: float, old: object | None, was: Sequence[int]) -> CapsuleType:
    """Loads of nodes; those of `old` go on where `was` (-1: new) says."""

def ring_owners(
    ring: CapsuleType,
    hashes: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)],
) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """The node of each hash: (n,) int32."""

def rendezvous_owners(
    rendezvous: CapsuleType,
    hashes: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)],
) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """The node of each hash: (n,) int32."""

def maglev_owners(
    maglev: CapsuleType,
    hashes: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)],
) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """The node of each hash: (n,) int32."""

def bounded_owners(
    ring: CapsuleType,
    bounds: CapsuleType,
    hashes: Annotated[NDArray[numpy.uint64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    loads: Annotated[NDArray[numpy.int64], dict(shape=(None,), order="C", device="cpu", writable=False)],
    adding: bool,
) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """
    The node of each hash under loads, which grow by each when `adding`: (n,) int32.
    """

def points(ring: CapsuleType) -> tuple[Any, ...]:
    """The points of a ring and whose they are."""

def slots(maglev: CapsuleType) -> Annotated[NDArray[numpy.int32], dict(shape=(None,))]:
    """The node of each slot: (slots,) int32."""

def moved(before: CapsuleType, after: CapsuleType, now: Sequence[int]) -> tuple[Any, ...]:
    """
    Where ownership differs: starts, ends (0: 2**64), nodes of before, nodes of after.
    """
