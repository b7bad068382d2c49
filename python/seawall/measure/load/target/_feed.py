"""Data that the calls of a scenario take turns to use."""

from __future__ import annotations

import csv
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError

_MOST_ROWS = 1_000_000


class FeedEnded(Exception):
    """A feed has no more rows, so its scenario ends here."""


class Feed:
    """Rows of data, one for each call: row m for the call that is due as the m-th, in every worker.

    Thread safety: any thread.

    Args:
        rows: A sequence, whose rows take turns for ever; or a function that makes an iterator, whose rows are used once
            each, and which ends the scenario when it ends.

    Raises:
        ConfigError: There are no rows.

    Example:
        >>> Feed([{"user": "ann"}, {"user": "bob"}]).row(3)
        {'user': 'bob'}
    """

    def __init__(self, rows: Sequence[Any] | Callable[[], Iterable[Any]]) -> None:
        if isinstance(rows, (str, bytes)) or not (callable(rows) or isinstance(rows, Sequence)):
            raise ConfigError(f"feed must be a list of rows or a function that makes an iterator, got {rows!r}")
        if not callable(rows) and not rows:
            raise ConfigError("feed must have at least one row, got none")
        self._rows: Sequence[Any] | None = None if callable(rows) else rows
        self._make = rows if callable(rows) else None
        self._iterator: Iterator[Any] | None = None
        self._lock = threading.Lock()

    @classmethod
    def csv(cls, path: str | os.PathLike[str]) -> Feed:
        """The rows of a CSV file, at most 1,000,000, by the names in its first line.

        Raises:
            ConfigError: It cannot be read, or has no rows.
        """
        try:
            with Path(path).open(newline="", encoding="utf-8-sig") as lines:
                rows = [
                    dict(row) for row, _ in zip(csv.DictReader(lines, strict=True), range(_MOST_ROWS + 1), strict=False)
                ]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ConfigError(f"feed must be a CSV file that can be read, got {str(path)!r}: {error}") from error
        if not rows or len(rows) > _MOST_ROWS:
            raise ConfigError(
                f"feed must have 1 to {_MOST_ROWS:,} rows below its line of names, got {len(rows):,} in {str(path)!r}"
            )
        return cls(rows)

    @property
    def rows(self) -> Sequence[Any] | None:
        """The rows that take turns; None where they are made one by one."""
        return self._rows

    def row(self, m: int) -> Any:
        """The row of call `m`.

        Raises:
            FeedEnded: The rows are used up.
        """
        if self._rows is not None:
            return self._rows[m % len(self._rows)]
        with self._lock:
            if self._iterator is None:
                assert self._make is not None
                self._iterator = iter(self._make())
            try:
                return next(self._iterator)
            except StopIteration:
                raise FeedEnded from None

    def __reduce__(self) -> tuple[type[Feed], tuple[Any]]:
        return Feed, (self._rows if self._make is None else self._make,)

    def restart(self) -> None:
        """Begin anew, for another run."""
        self._iterator = None


def feed_of(given: object) -> Feed | None:
    """A feed from what a user gives: a feed, a path of a CSV file, rows, or a function."""
    if given is None or isinstance(given, Feed):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Feed.csv(given)
    if isinstance(given, Mapping):
        raise ConfigError(f"feed must be a list of rows, got {given!r}; use [{given!r}]")
    return Feed(given)  # type: ignore[arg-type]
