"""Loggers that cannot flood: so many lines of a kind in a time, and the number of those withheld is told."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

from seawall.errors import ConfigError
from seawall.guard.limits import Keyed, Limit
from seawall.observe.logs._json import message_of

_MOST_KINDS = 10_000
Key = tuple[Any, ...]


class _Admits(Protocol):
    def try_acquire(self, key: Any, cost: int = 1) -> bool: ...


class Suppressed:
    """How many lines of each kind were withheld since the last one that passed; of the latest kinds."""

    def __init__(self, most: int) -> None:
        self.total = 0
        self._counts: OrderedDict[Key, int] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def add(self, key: Key) -> None:
        """One more."""
        with self._lock:
            self.total += 1
            self._counts[key] = self._counts.pop(key, 0) + 1
            if len(self._counts) > self._most:
                self._counts.popitem(last=False)

    def take(self, key: Key) -> int:
        """How many, and begin anew."""
        if not self._counts:  # as a rule nothing is withheld, and nobody need wait for a lock to learn that
            return 0
        with self._lock:
            return self._counts.pop(key, 0)

    def take_all(self) -> list[tuple[Key, int]]:
        """All kinds, and begin anew."""
        with self._lock:
            taken = list(self._counts.items())
            self._counts.clear()
        return taken


class LimitedFilter(logging.Filter):
    """Lets so many records of a kind pass as a limit admits. The next one that passes says how many were withheld.

    That record has the attribute `suppressed`, and its message ends in "(12 like this were suppressed)". What is never
    followed by another is told by `tell()`, and when the filter is closed.

    Guarantees: memory is bounded, by 10,000 kinds of records.

    Thread safety: yes. Cost: about 0.3 us a record that passes.

    Args:
        limit: What a kind may do, such as `TokenBucket(5, per=60)`: any limit, which is then kept for each kind; or a
            keyed one.
        key: What makes two records of a kind; by default logger, level, and message before its arguments are filled in.
        exempt: Records of this level and above always pass.

    Raises:
        ConfigError: That is no limit.

    Example:
        >>> import sys
        >>> from seawall import ManualClock, TokenBucket
        >>> clock = ManualClock()
        >>> handler = logging.StreamHandler(sys.stdout)
        >>> handler.addFilter(LimitedFilter(TokenBucket(1, per=60, clock=clock)))
        >>> log = logging.getLogger("limited"); log.propagate = False; log.addHandler(handler)
        >>> for n in range(3): log.warning("no answer from %s", "bank")
        no answer from bank
        >>> clock.advance(60); log.warning("no answer from %s", "bank")
        no answer from bank (2 like this were suppressed)
    """

    def __init__(
        self,
        limit: Limit | Keyed,
        *,
        key: Callable[[logging.LogRecord], Any] | None = None,
        exempt: int | str = logging.CRITICAL,
    ) -> None:
        super().__init__()
        self._limit = _keyed(limit)
        self._key = key
        self._exempt = _level(exempt)
        self._suppressed = Suppressed(_MOST_KINDS)
        # Handlers share the record: what one use of the filter has decided about it, another does not count again.
        self._mark = f"_seawall_limited_{id(self)}"

    @property
    def suppressed(self) -> int:
        """How many records were withheld, ever."""
        return self._suppressed.total

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes."""
        decided = record.__dict__.get(self._mark)
        if decided is None:
            decided = record.__dict__[self._mark] = self._decide(record)
        return bool(decided)

    def _decide(self, record: logging.LogRecord) -> bool:
        key = self._kind(record)
        if record.levelno < self._exempt and not self._limit.try_acquire(_text_of(key)):
            self._suppressed.add(key)
            return False
        count = self._suppressed.take(key)
        if count:
            _say(record, count)
        return True

    def _kind(self, record: logging.LogRecord) -> Key:
        own = (record.msg if isinstance(record.msg, str) else type(record.msg).__qualname__,)
        return (record.name, record.levelno, *(own if self._key is None else (self._key(record),)))

    def tell(self, logger: logging.Logger | None = None) -> int:
        """Log now what was withheld and is not told yet, a line a kind; how many records that were.

        Args:
            logger: Where; by default the loggers whose records they were.
        """
        total = 0
        for (name, level, what), count in self._suppressed.take_all():
            total += count
            target = logger or logging.getLogger(name)
            record = target.makeRecord(
                name, level, "(seawall)", 0, "%d records were suppressed: %s", (count, what), None
            )
            record.suppressed = count
            record.__dict__[self._mark] = True
            target.handle(record)
        return total

    def __repr__(self) -> str:
        return f"<LimitedFilter: {self._limit!r}, {self.suppressed} suppressed>"


class LimitedProcessor:
    """LimitedFilter for structlog: drops events over the limit, and tells how many as `suppressed`.

    Args:
        limit: What a kind may do; as for LimitedFilter.
        key: What makes two events of a kind; by default the method and the event.

    Raises:
        ConfigError: That is no limit.
    """

    def __init__(self, limit: Limit | Keyed, *, key: Callable[[MutableMapping[str, Any]], Any] | None = None) -> None:
        self._limit = _keyed(limit)
        self._key = key
        self._suppressed = Suppressed(_MOST_KINDS)

    @property
    def suppressed(self) -> int:
        """How many events were dropped, ever."""
        return self._suppressed.total

    def __call__(self, logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        del logger
        key = (method, event_dict.get("event") if self._key is None else self._key(event_dict))
        if not self._limit.try_acquire(_text_of(key)):
            from structlog import DropEvent

            self._suppressed.add(key)
            raise DropEvent
        count = self._suppressed.take(key)
        if count:
            event_dict["suppressed"] = count
        return event_dict


def _keyed(limit: Limit | Keyed) -> _Admits:
    if isinstance(limit, Limit):
        return limit.keyed(_MOST_KINDS)
    if isinstance(limit, Keyed):
        return limit
    raise ConfigError(f"limit must be a limit such as TokenBucket(5, per=60), or a keyed one, got {limit!r}")


def _text_of(key: Key) -> str:
    return "\x1f".join(map(str, key))


def _say(record: logging.LogRecord, count: int) -> None:
    record.suppressed = count
    record.msg, record.args = f"{message_of(record)} ({count} like this were suppressed)", ()


def _level(level: int | str) -> int:
    number = logging.getLevelNamesMapping().get(level) if isinstance(level, str) else level
    if not isinstance(number, int) or isinstance(number, bool):
        raise ConfigError(f"exempt must be a level such as 'ERROR' or logging.ERROR, got {level!r}")
    return number
