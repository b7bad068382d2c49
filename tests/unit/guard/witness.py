"""Hooks that remember, and hooks that refuse."""

from __future__ import annotations

from typing import Any

import seawall as sw


class Witness:
    """Lets everything pass and notes how it ended."""

    def __init__(self, heard: list[tuple[str, Any, str]] | None = None, name: str = "witness") -> None:
        self.heard = [] if heard is None else heard
        self.name = name

    def before(self) -> str:
        """Let pass."""
        return self.name

    def after(self, token: Any, result: Any, error: BaseException | None) -> None:
        """Note."""
        self.heard.append((token, result, "" if error is None else type(error).__name__))


class Refuses(Witness):
    """Lets nothing pass."""

    def before(self) -> str:
        """Refuse."""
        raise sw.Rejected("not today", retry_after=1.0, policy="refuses")
