"""Where the state of alerts is kept, so that a restart neither forgets nor repeats."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Store(Protocol):
    """Keeps one JSON value; an object of your own may keep it in a database."""

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None when nothing was.

        Raises:
            ValueError: it is damaged. The alerts tell it and begin afresh.
        """
        ...

    def save(self, state: dict[str, Any]) -> None:
        """Keep this in place of what was saved before, whole or not at all."""
        ...


class MemoryStore:
    """Keeps the state as long as the object: for tests, and for alerts that are remade within a process."""

    def __init__(self) -> None:
        self._text: str | None = None

    def load(self) -> dict[str, Any] | None:
        """What was saved last."""
        return None if self._text is None else dict(json.loads(self._text))

    def save(self, state: dict[str, Any]) -> None:
        """Keep this."""
        self._text = json.dumps(state)

    def __repr__(self) -> str:
        return f"<MemoryStore, {'empty' if self._text is None else f'{len(self._text):,} bytes'}>"


class FileStore:
    """Keeps the state in a file.

    Guarantees: after a crash the file holds the last state or the one before, never half of one (it is written beside,
    flushed to disk and renamed). A damaged file is set aside as `<path>.damaged`, never overwritten unseen.

    Args:
        path: Of the file; its directory is made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def load(self) -> dict[str, Any] | None:
        """What was saved last.

        Raises:
            ValueError: the file holds something else; it has been set aside.
        """
        try:
            return dict(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            self.set_aside()
            raise ValueError(f"{self.path} is damaged and was set aside: {error}") from error

    def save(self, state: dict[str, Any]) -> None:
        """Keep this."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.{threading.get_ident()}.new")
        try:
            # Alerts may hold what not everybody should read.
            with os.fdopen(
                os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump(state, file, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)

    def set_aside(self) -> None:
        """Rename the file, so that what is saved next does not destroy it."""
        if self.path.exists():
            self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))

    def __repr__(self) -> str:
        return f"FileStore({str(self.path)!r})"
