"""The stable hash, and many keys at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seawall._core import placing
from seawall._core.hashing import jump, stable_hash
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from numpy import int32, uint64
    from numpy.typing import NDArray

Key = str | bytes | int

__all__ = ["jump", "jump_many", "stable_hash", "stable_hash_many"]


def numbers_of(keys: Any) -> NDArray[uint64] | None:
    """The bits of an array of whole numbers; None for any other keys."""
    import numpy

    if not isinstance(keys, numpy.ndarray) or keys.dtype.kind not in "iu":
        return None
    if keys.ndim != 1:
        raise ConfigError(f"keys must be one-dimensional, got shape {keys.shape}")
    wide = numpy.int64 if keys.dtype.kind == "i" else numpy.uint64
    return numpy.ascontiguousarray(keys, dtype=wide).view(numpy.uint64)


def stable_hash_many(keys: Sequence[Key] | NDArray[Any]) -> NDArray[uint64]:
    """`stable_hash` of each key.

    Shapes: `keys` n keys, or an (n,) array of whole numbers or text; the answer (n,) uint64.
    Cost: about 1 ns a number of an array, 15 ns a key of a list.
    """
    numbers = numbers_of(keys)
    if numbers is not None:
        return placing.hash_numbers(numbers)
    import numpy

    if isinstance(keys, numpy.ndarray):
        if keys.ndim != 1:
            raise ConfigError(f"keys must be one-dimensional, got shape {keys.shape}")
        keys = keys.tolist()
    elif isinstance(keys, (str, bytes)) or not hasattr(keys, "__len__"):
        raise TypeError(f"keys must be a sequence or an array of keys, got {type(keys).__name__}")
    return placing.hash_keys(tuple(keys))


def jump_many(keys: Sequence[Key] | NDArray[Any], buckets: int) -> NDArray[int32]:
    """`jump` of each key.

    Shapes: `keys` n keys, or an (n,) array of whole numbers or text; the answer (n,) int32.
    Cost: about 25 ns a number of an array for 100 buckets.
    """
    jump(0, buckets)  # refuses what no number of buckets is
    numbers = numbers_of(keys)
    if numbers is not None:
        return placing.jump_numbers(numbers, buckets)
    return placing.jump_many(stable_hash_many(keys), buckets)
