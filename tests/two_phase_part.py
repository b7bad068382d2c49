"""A participant that fails as it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seawall.distributed.transactions.two_phase import Vote


class Part:
    """Remembers what it was told; `fails` maps a method to what it raises, once or for as long as it stands there."""

    def __init__(self, name: str, vote: Any = Vote.YES, **fails: Exception) -> None:
        self.name = name
        self.vote = vote
        self.fails = fails
        self.told: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def _do(self, method: str) -> None:
        self.told.append(method)
        if method in self.fails:
            raise self.fails[method]

    def prepare(self, transaction: str) -> Vote:
        self._do("prepare")
        self.meanwhile()
        return self.vote

    def commit(self, transaction: str) -> None:
        self._do("commit")

    def abort(self, transaction: str) -> None:
        self._do("abort")
