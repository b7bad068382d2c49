"""A span current for a while, without ending it."""

from __future__ import annotations

from contextlib import suppress
from contextvars import Token
from typing import Any

from seawall._core.tracing import SPAN, Position


class Active:
    """`with Active(span):` makes it the current one in the block, and leaves it open."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Any) -> None:
        self._span = span
        self._token: Token[Any] | None = None

    def __enter__(self) -> None:
        if isinstance(self._span, Position):
            self._token = SPAN.set(self._span)  # type: ignore[arg-type]
        else:
            self._token = self._span.attach()

    def __exit__(self, *_: object) -> None:
        if not isinstance(self._span, Position):
            self._span.detach(self._token)
            return
        with suppress(ValueError):  # left in another context than it was entered in: that one never had the span
            SPAN.reset(self._token)  # type: ignore[arg-type]
