"""Who wants to know of policies and pipelines that are made."""

from __future__ import annotations

from typing import Any

from seawall.guard import _made
from seawall.patterns import Signal

made: Signal[Any] = Signal("guard.made", object)
"""Sent with every policy, budget and pipeline as it is made; it may not be ready for calls yet."""

_made.signal = made
