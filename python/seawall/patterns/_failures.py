"""What happens when a receiver of a signal fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SignalFailure:
    """A receiver raised; the others were called all the same.

    Args:
        signal: Name of the signal.
        receiver: Qualified name of the receiver.
        event: What was sent.
        error: What the receiver raised.
        count: How often this receiver has failed, this time included.
    """

    signal: str
    receiver: str
    event: Any
    error: Exception
    count: int


def log_failure(failure: SignalFailure) -> None:
    """Log a failure to the logger "seawall", with traceback: each receiver's first, second, fourth, eighth ..."""
    if failure.count & (failure.count - 1):
        return
    import logging

    logging.getLogger("seawall").error(
        "receiver %s of signal %s failed (%d so far)",
        failure.receiver,
        failure.signal,
        failure.count,
        exc_info=failure.error,
    )
