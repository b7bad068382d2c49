"""
Histograms where they meet arrays and bytes. Every function takes the capsule of a histogram.
"""

from typing import Annotated

import numpy
from numpy.typing import NDArray
from typing_extensions import CapsuleType

def record_many(
    capsule: CapsuleType,
    values: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)],
) -> int:
    """
    Record all values, or none: then the index of the first one that cannot be recorded, otherwise -1.
    """

def counts(capsule: CapsuleType) -> Annotated[NDArray[numpy.uint64], dict(shape=(None,))]:
    """A copy of the count of every bucket: (n,) uint64."""

def live_counts(capsule: CapsuleType) -> Annotated[NDArray[numpy.uint64], dict(shape=(None,), writable=False)]:
    """
    The counts themselves, read-only, changing as values are recorded: (n,) uint64.
    """

def lows(capsule: CapsuleType) -> Annotated[NDArray[numpy.uint64], dict(shape=(None,))]:
    """
    The smallest integer of every bucket, and the end of the last one: (n + 1,) uint64.
    """

def encode(capsule: CapsuleType) -> bytes:
    """The counts as HdrHistogram V2 writes them."""

def decode(capsule: CapsuleType, bytes: bytes) -> bool:
    """
    Add encoded counts; False, and nothing added, where they are malformed or too many.
    """
