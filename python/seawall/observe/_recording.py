"""A bounded series of snapshots, and what can be said of a stretch of it."""

from __future__ import annotations

import functools
import heapq
import itertools
import json
import operator
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from seawall.errors import ConfigError
from seawall.observe._columns import Packed, Packer, increases
from seawall.observe._distribution import Distribution
from seawall.observe._snapshot import Labels, Selector, Snapshot

TIERS = ((1.0, 300.0), (10.0, 3_600.0), (60.0, 21_600.0), (600.0, 259_200.0))
"""By default: each second of five minutes, ten of an hour, each minute of six hours, ten of three days."""

_ACROSS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum, "min": min, "max": max, "mean": lambda values: sum(values) / len(values),
}  # fmt: skip


class Recording:
    """The metrics of the last days, thinner the older they are.

    Guarantees: bounded by its tiers, whatever is appended. Counts are exact over any window, since counters only grow;
    thinning costs resolution, not counts.
    Thread safety: one thread appends, any thread reads.
    Cost: about 0.3 us a series to append, 20 us a histogram. Each snapshot that is kept, some 1,500 by default, takes
    8 bytes a number and about a kilobyte a histogram: 12 MB for 1,000 counters, 150 MB for 100 histograms.

    Args:
        tiers: (step, span) in seconds, fine to coarse: of the last `span`, one snapshot each `step`.

    Raises:
        ConfigError: tiers that are not finer to coarser.

    Example:
        >>> from seawall.observe import Family, Sample, Snapshot
        >>> recording = Recording()
        >>> for at in range(61):
        ...     recording.append(Snapshot(float(at), (Family("calls", "counter", (Sample((), at * 5.0),)),)))
        >>> recording.window(60).rate("calls")
        5.0
    """

    def __init__(self, tiers: Sequence[tuple[float, float]] = TIERS) -> None:
        self.tiers = tuple((float(step), float(span)) for step, span in tiers)
        rising = all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(self.tiers))
        if not self.tiers or not rising or not all(0 < step <= span for step, span in self.tiers):
            raise ConfigError(
                f"tiers must be (step, span) in seconds, from fine and short to coarse and long, got {tiers!r}"
            )
        self._kept: tuple[deque[Packed], ...] = tuple(deque() for _ in self.tiers)
        self._packer = Packer()
        self.latest: Snapshot | None = None

    def append(self, snapshot: Snapshot) -> None:
        """Take the next snapshot; one that is not newer than the latest is ignored."""
        if self.latest is not None and snapshot.at <= self.latest.at:
            return
        packed: Packed | None = None
        for (step, span), kept in zip(self.tiers, self._kept, strict=True):
            # A hair early counts: whoever appends each second is never exact.
            if not kept or snapshot.at - kept[-1].at >= step * 0.95:
                packed = packed or self._packer.pack(snapshot)
                kept.append(packed)
            # One that is older than the span stays: a window of the whole span begins there.
            while len(kept) > 2 and kept[1].at <= snapshot.at - span:
                kept.popleft()
        self.latest = snapshot

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Snapshot]:
        """All snapshots that are kept, oldest first."""
        last = None
        newest = () if self.latest is None else (self.latest,)
        for snapshot in heapq.merge(*(tuple(kept) for kept in self._kept), newest, key=operator.attrgetter("at")):
            if last is None or snapshot.at > last:
                last = snapshot.at
                yield snapshot

    def window(self, seconds: float, now: float | None = None) -> Window:
        """The stretch of `seconds` that ends with the last snapshot up to `now`.

        It begins with the last snapshot before that, or with the oldest that is kept: `Window.seconds` is what it
        really covers.
        """
        if not seconds > 0:
            raise ConfigError(f"a window must be longer than 0 s, got {seconds!r}")
        if self.latest is None:
            return Window(())
        end = self.latest.at if now is None else now
        inside: list[Snapshot] = []
        for snapshot in self:
            if snapshot.at > end:
                break
            if snapshot.at <= end - seconds:
                inside.clear()
            inside.append(snapshot)
        return Window(tuple(inside))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that is kept, a snapshot a line; replaces the file whole or not at all."""
        target = Path(path)
        beside = target.with_name(f"{target.name}.{os.getpid()}.new")
        try:
            with beside.open("w", encoding="utf-8") as file:
                for snapshot in self:
                    file.write(json.dumps(snapshot.to_dict(), separators=(",", ":")) + "\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str], tiers: Sequence[tuple[float, float]] = TIERS) -> Recording:
        """What `save` wrote.

        Raises:
            ValueError: a line is no snapshot; the message says which.
        """
        recording = cls(tiers)
        with Path(path).open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    recording.append(Snapshot.from_dict(json.loads(line)))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise ValueError(f"line {number} of {path} is no snapshot: {error!r}") from error
        return recording

    def __repr__(self) -> str:
        return f"<Recording of {len(self)} snapshots over {self.window(1e18).seconds:g} s>"


class Window:
    """A stretch of a recording. What nothing is known of is None, never 0.

    Args:
        snapshots: Oldest first. What happened is told by all but the first, beside which they are held.
    """

    __slots__ = ("snapshots",)

    def __init__(self, snapshots: tuple[Snapshot, ...]) -> None:
        self.snapshots = snapshots

    @property
    def seconds(self) -> float:
        """What it really covers."""
        return self.snapshots[-1].at - self.snapshots[0].at if self.snapshots else 0.0

    def increase(self, what: Selector | str) -> float | None:
        """By how much counters grew, or how many values came to histograms, together.

        A counter that went back began anew, and a series that was not there began at 0.
        """
        grown = self._grown(what)
        if grown is None:
            return None
        return float(sum(each.count if isinstance(each, Distribution) else each for each in grown.values()))

    def rate(self, what: Selector | str) -> float | None:
        """The increase a second."""
        increase = self.increase(what)
        return None if increase is None else increase / self.seconds

    def ratio(self, part: Selector | str, whole: Selector | str) -> float | None:
        """The increase of one to that of the other; None where the whole did not grow."""
        total = self.increase(whole)
        return (self.increase(part) or 0.0) / total if total else None

    def distribution(self, what: Selector | str) -> Distribution | None:
        """All values that came to the histograms meant; None where there are none."""
        grown = self._grown(what) or {}
        found = [each for each in grown.values() if isinstance(each, Distribution)]
        return functools.reduce(operator.add, found) if found else None

    def quantile(self, what: Selector | str, q: float) -> float | None:
        """A quantile of the values that came; None where none did."""
        came = self.distribution(what)
        return came.quantile(q) if came is not None and came.count else None

    def value(self, what: Selector | str, across: Literal["sum", "min", "max", "mean"] = "sum") -> float | None:
        """What gauges, or counters in all, are at the end, together."""
        return self.series(what, across)[-1][1] if self.snapshots else None

    def series(
        self, what: Selector | str, across: Literal["sum", "min", "max", "mean"] = "sum"
    ) -> list[tuple[float, float | None]]:
        """(at, value) of each snapshot."""
        return [(snapshot.at, _together(snapshot, what, _ACROSS[across])) for snapshot in self.snapshots]

    def steps(self) -> Iterator[Window]:
        """The stretches between neighbouring snapshots: for drawing rates over time."""
        return (Window(pair) for pair in itertools.pairwise(self.snapshots))

    def label_values(self, what: Selector | str, *names: str) -> tuple[tuple[str, ...], ...]:
        """The different values of labels at the end, sorted: what to narrow a selector to, group by group."""
        found = self.snapshots[-1].select(what) if self.snapshots else ()
        return tuple(sorted({tuple(dict(sample.labels).get(name, "") for name in names) for sample in found}))

    def _grown(self, what: Selector | str) -> dict[Labels, float | Distribution] | None:
        """By how much each series grew; None where nothing is known."""
        if len(self.snapshots) < 2:
            return None
        if (numbers := increases(self.snapshots, Selector.of(what))) is not None:
            return {**numbers} or None
        begun = {sample.labels: sample.value for sample in self.snapshots[0].select(what)}
        last, grown = dict(begun), dict[Labels, float | Distribution]()
        for snapshot in self.snapshots[1:]:
            for labels, value, _ in snapshot.select(what):
                before = last.get(labels)
                if before is not None and _began_anew(value, before):
                    grown[labels] = _together_with(grown.get(labels), _since(before, begun.get(labels)))
                    begun.pop(labels, None)
                last[labels] = value
        if not last:
            return None
        # Between two beginnings only the ends matter: one difference, however long it was.
        return {
            labels: _together_with(grown.get(labels), _since(value, begun.get(labels)))
            for labels, value in last.items()
        }


def _began_anew(value: float | Distribution, before: float | Distribution) -> bool:
    if isinstance(value, Distribution) and isinstance(before, Distribution):
        return value.count < before.count or value.layout != before.layout
    return not isinstance(value, Distribution) and not isinstance(before, Distribution) and value < before


def _together_with(grown: float | Distribution | None, more: float | Distribution) -> float | Distribution:
    if isinstance(grown, Distribution) and isinstance(more, Distribution):
        # Of another layout: what came before cannot be added, and what counts is what there is now.
        return grown + more if grown.layout == more.layout else more
    return more if grown is None else grown + more  # type: ignore[operator]  # both are numbers


def _since(value: float | Distribution, before: float | Distribution | None) -> float | Distribution:
    if isinstance(value, Distribution):
        same = isinstance(before, Distribution) and before.layout == value.layout
        return value - before if same else value  # type: ignore[operator]  # same says both are
    return value - before if isinstance(before, (int, float)) and value >= before else value


def _together(snapshot: Snapshot, what: Selector | str, across: Callable[[Sequence[float]], float]) -> float | None:
    values = [sample.value for sample in snapshot.select(what) if not isinstance(sample.value, Distribution)]
    return across(values) if values else None
