"""How much a call matters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum


class Criticality(IntEnum):
    """How much a call matters: what matters less is given up first. A greater one matters more.

    Source: Site Reliability Engineering (Google, 2016), chapter 21.

    Example:
        >>> with Criticality.sheddable.applied():
        ...     Criticality.current()
        <Criticality.sheddable: 0>
        >>> Criticality.current()
        <Criticality.critical: 2>
    """

    sheddable = 0
    """May fail for long: what is done again anyway."""
    sheddable_plus = 1
    """May fail for a while: batch jobs."""
    critical = 2
    """People notice; what a call is that says nothing."""
    critical_plus = 3
    """People are hurt."""

    @classmethod
    def current(cls) -> Criticality:
        """That of what runs here."""
        return _current.get()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """What runs in the block, tasks made there included, matters as much as this says."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Criticality] = ContextVar("seawall_criticality", default=Criticality.critical)
