"""Data that the calls of a scenario take turns to use."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError

_MOST_ROWS = 1_000_000


class FeedEnded(Exception):
    """A feed has no more rows, so its scenario ends here."""


class Feed:
    """Rows of data, one for each call: row m for the m-th call of a scenario, counted over all workers.

    Each scenario, and each run, begins at the first row.

    Args:
        rows: A sequence, whose rows take turns for ever; or a function that makes an iterator, whose rows are used once
            each, and which ends the scenario when it ends.

    Raises:
        ConfigError: There are no rows.

    Example:
        >>> row = Feed([{"user": "ann"}, {"user": "bob"}]).opened()
        >>> row(3)
        {'user': 'bob'}
    """

    def __init__(self, rows: Sequence[Any] | Callable[[], Iterable[Any]]) -> None:
        if isinstance(rows, (str, bytes)) or not (callable(rows) or isinstance(rows, Sequence)):
            raise ConfigError(f"feed must be a list of rows or a function that makes an iterator, got {rows!r}")
        if not callable(rows) and not rows:
            raise ConfigError("feed must have at least one row, got none")
        self._rows: Sequence[Any] | None = None if callable(rows) else rows
        self._make = rows if callable(rows) else None

    def __repr__(self) -> str:
        return f"Feed({self._make!r})" if self._rows is None else f"<Feed of {len(self._rows):,} rows>"

    @classmethod
    def csv(cls, path: str | os.PathLike[str]) -> Feed:
        """The rows of a CSV file, at most 1,000,000, by the names in its first line.

        Raises:
            ConfigError: It cannot be read, or has no rows, or a row has more or fewer values than there are names.
        """
        try:
            with Path(path).open(newline="", encoding="utf-8-sig") as lines:
                rows = _read(csv.DictReader(lines, strict=True), str(path))
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

    def opened(self) -> Callable[[int], Any]:
        """What gives the row of call m, from the first row on; it is asked in the order of m, by one at a time.

        It raises FeedEnded when the rows are used up.
        """
        if self._rows is not None:
            rows, number = self._rows, len(self._rows)
            return lambda m: rows[m % number]
        assert self._make is not None
        return _Once(self._make)


class _Once:
    """Rows that are used once each; what other workers use is skipped."""

    def __init__(self, make: Callable[[], Iterable[Any]]) -> None:
        self._make = make
        self._iterator: Iterator[Any] | None = None
        self._next = 0

    def __call__(self, m: int) -> Any:
        if self._iterator is None:
            self._iterator = iter(self._make())
        row = None
        while self._next <= m:
            try:
                row = next(self._iterator)
            except StopIteration:
                raise FeedEnded from None
            self._next += 1
        return row


def _read(lines: csv.DictReader[str], path: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for row in lines:
        if None in row or None in row.values():
            names = len(lines.fieldnames or ())
            raise ConfigError(
                f"feed must have {names} values in each row, got another number in line {lines.line_num} of {path!r}"
            )
        rows.append(row)
        if len(rows) > _MOST_ROWS:
            break
    return rows


def feed_of(given: object) -> Feed | None:
    """A feed from what a user gives: a feed, a path of a CSV file, rows, or a function."""
    if given is None or isinstance(given, Feed):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Feed.csv(given)
    if isinstance(given, Mapping):
        raise ConfigError(f"feed must be a list of rows, got {given!r}; use [{given!r}]")
    return Feed(given)  # type: ignore[arg-type]
