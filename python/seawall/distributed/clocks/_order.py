"""How two histories relate."""

from __future__ import annotations

from enum import StrEnum

from seawall._core.logical import set_orders


class Order(StrEnum):
    """What comparing two vector clocks answers."""

    EQUAL = "equal"
    BEFORE = "before"
    AFTER = "after"
    CONCURRENT = "concurrent"


set_orders((Order.EQUAL, Order.BEFORE, Order.AFTER, Order.CONCURRENT))
