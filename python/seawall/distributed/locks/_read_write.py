"""Many readers or one writer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from seawall.distributed._holding import FENCING, Acquirable, FencedHeld, Held, Place, fresh
from seawall.engines import Engine, KeyValue, Require


class ReadWriteLock:
    """Many read at once, or one writes: `with lock.reader:` and `with lock.writer as held:`.

    Guarantees: all stand in one line, in the order of arrival. A writer that waits lets no later reader pass, so
    writers do not starve; and readers that came before it go first, so they do not either. Writers have tokens, as
    those of a FencedLock.

    Thread safety: yes. A reader cannot become a writer while it reads, and is told so: release first.

    Args:
        store: An engine, or the key_value of one; of an engine it is the namespace "locks".
        name: What is locked: at most 400 bytes.
        ttl: How long it is held without a sign of life, in seconds, 0.1 to a day.
        renew: Give signs of life from a thread, as long as it is held.
        reentrant: A task or thread that reads, or writes, may do so again.
        owner: What others see of the holder; by default host and process.

    Attributes:
        reader: Has `acquire`, `try_acquire` and blocks; gives a `Held`.
        writer: The same; gives a `FencedHeld`.

    Example:
        >>> from seawall.engines import open_engine
        >>> lock = ReadWriteLock(open_engine("memory://"), "prices")
        >>> with lock.reader:
        ...     lock.writer.try_acquire() is None
        True
    """

    def __init__(
        self,
        store: Engine | KeyValue,
        name: str,
        *,
        ttl: float | timedelta = 10.0,
        renew: bool = True,
        reentrant: bool = False,
        owner: str | None = None,
    ) -> None:
        given: dict[str, Any] = {"ttl": ttl, "renew": renew, "reentrant": reentrant, "owner": owner}
        self.name = name
        self.reader: Acquirable[Held] = _Reader(store, name, kind="rw", **given)
        self.writer: Acquirable[FencedHeld] = _Writer(store, name, kind="rw", **given)
        self.reader._other, self.writer._other = self.writer, self.reader

    def __repr__(self) -> str:
        return f"<ReadWriteLock {self.name!r} on {self.reader._driver.name}, ttl {self.reader.ttl:g} s>"


class _Reader(Acquirable[Held]):
    what: ClassVar[str] = "read lock"

    def _place(self) -> Place:
        return Place(self._root, f"{self._root}r/{fresh()}", f"{self._root}w/")


class _Writer(Acquirable[FencedHeld]):
    what: ClassVar[str] = "write lock"
    _least: ClassVar[Require] = FENCING
    _held_kind = FencedHeld

    def _place(self) -> Place:
        return Place(self._root, f"{self._root}w/{fresh()}", self._root)
