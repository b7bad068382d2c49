"""A bounded memory of what went wrong."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from seawall.errors._cancellation import is_cancellation
from seawall.errors._classifier import Classifier
from seawall.errors._context import context_of, current_context
from seawall.errors._default import default_classifier
from seawall.errors._fingerprint import OTHER, Fingerprint, fingerprints, message_of, type_name
from seawall.errors._journal_records import ErrorRecord, JournalEntry, JournalOptions, JournalSnapshot, NowNs
from seawall.errors._rates import SlidingRate
from seawall.patterns import Signal, Strategy, conform


class _Tally:
    """What is counted of one fingerprint."""

    __slots__ = ("count", "first_ns", "last", "long", "short")

    def __init__(self, record: ErrorRecord, short_ns: int, long_ns: int) -> None:
        self.count = 0
        self.first_ns = record.at_ns
        self.last = record
        self.short = SlidingRate(short_ns)
        self.long = SlidingRate(long_ns)

    def add(self, record: ErrorRecord) -> None:
        self.count += 1
        self.last = record
        self.short.add(record.at_ns)
        self.long.add(record.at_ns)

    def entry(self, fingerprint: Fingerprint, now_ns: int) -> JournalEntry:
        rates = self.short.per_second(now_ns), self.long.per_second(now_ns)
        return JournalEntry(fingerprint, self.count, self.first_ns, self.last, *rates)


class ErrorJournal:
    """Counts errors by fingerprint and keeps the last ones.

    Guarantees: Bounded: at most `max_fingerprints` are told apart, further ones are counted as 'other'; at most
    `max_recent` errors are kept, as text. Cancellations are not recorded.

    Thread safety: yes. `recorded` is sent outside the lock.

    Cost: some microseconds an error; memory under 2 kB a fingerprint and a recent error with short contexts.

    Args:
        clock: Time of the errors: any object with `now_ns()`, such as a seawall Clock.
        wall: Tells the Unix time, for people.
        classifier: Whom to ask what an error means.
        fingerprint: How fingerprints are taken: a name in `fingerprints` or a function; `journal.fingerprint.use(...)`
            changes it while the journal is in use.
        options: See JournalOptions.

    Raises:
        ConfigError: An option is wrong, or the clock is none.

    Example:
        >>> from seawall.clock import ManualClock
        >>> journal = ErrorJournal(ManualClock(), max_fingerprints=100)
        >>> for order in (17, 18):
        ...     _ = journal.record(TimeoutError(f"order {order} took too long"))
        >>> [(str(entry.fingerprint), entry.count) for entry in journal.top(1)]
        [('TimeoutError: order <n> took too long', 2)]
    """

    def __init__(
        self,
        clock: NowNs,
        *,
        wall: Callable[[], float] | None = None,
        classifier: Classifier = default_classifier,
        fingerprint: str | Callable[[BaseException], Fingerprint] = "frame",
        **options: Any,
    ) -> None:
        self.options = JournalOptions.from_dict(options)
        self.fingerprint: Strategy[Callable[[BaseException], Fingerprint]] = Strategy(fingerprints, fingerprint)
        self.recorded: Signal[ErrorRecord] = Signal("errors.recorded", ErrorRecord)
        self._clock = conform(clock, NowNs)  # type: ignore[type-abstract]
        self._wall = wall
        self._classifier = classifier
        self._lock = threading.Lock()
        self._tallies: dict[Fingerprint, _Tally] = {}
        self._recent: deque[ErrorRecord] = deque(maxlen=self.options.max_recent)
        self._kinds: Counter[str] = Counter()

    def record(self, error: BaseException) -> ErrorRecord | None:
        """Count an error, with the context it carries or the one in force here; None for a cancellation."""
        if is_cancellation(error):
            return None
        record = self._record_of(error)
        with self._lock:
            self._tally(record).add(record)
            self._recent.append(record)
            self._kinds[record.classification.kind.name] += 1
        if self.recorded:
            self.recorded.send(record)
        return record

    def top(self, n: int = 10) -> tuple[JournalEntry, ...]:
        """The `n` most frequent fingerprints, the most frequent first."""
        return self.snapshot().entries[: max(n, 0)]

    def snapshot(self) -> JournalSnapshot:
        """Everything, as it is now."""
        now = self._clock.now_ns()
        with self._lock:
            entries = [tally.entry(fingerprint, now) for fingerprint, tally in self._tallies.items()]
            recent = tuple(reversed(self._recent))
            kinds = dict(self._kinds)
            other = self._tallies[OTHER].count if OTHER in self._tallies else 0
        # Sorting is stable: of the equally frequent, the one that came first goes first.
        entries.sort(key=lambda entry: -entry.count)
        return JournalSnapshot(sum(kinds.values()), other, tuple(entries), recent, MappingProxyType(kinds))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._tallies.clear()
            self._recent.clear()
            self._kinds.clear()

    def __len__(self) -> int:
        return len(self._tallies)

    def __repr__(self) -> str:
        return f"<ErrorJournal: {sum(self._kinds.values())} errors, {len(self)} fingerprints>"

    def _record_of(self, error: BaseException) -> ErrorRecord:
        return ErrorRecord(
            fingerprint=self.fingerprint(error),
            type_name=type_name(error),
            message=message_of(error)[: self.options.max_message],
            classification=self._classifier.classify(error),
            context=context_of(error) or current_context(),
            at_ns=self._clock.now_ns(),
            wall=self._wall() if self._wall is not None else None,
        )

    def _tally(self, record: ErrorRecord) -> _Tally:
        fingerprint = record.fingerprint
        if (
            fingerprint not in self._tallies
            and len(self._tallies) - (OTHER in self._tallies) >= self.options.max_fingerprints
        ):
            fingerprint = OTHER
        tally = self._tallies.get(fingerprint)
        if tally is None:
            windows = (int(seconds * 1e9) for seconds in (self.options.short_window, self.options.long_window))
            tally = self._tallies[fingerprint] = _Tally(record, *windows)
        return tally
