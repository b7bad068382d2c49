"""An adaptive limit, slow and obvious: a list of latencies a window, sorted at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

SCALE = 2.0**32
LONG_AGO = -(2**61)


class Config:
    """The kernel's words, by name."""

    RATIOS = ("percentile", "dropped_ratio", "smoothing", "tolerance", "alpha", "beta", "increase", "backoff")
    NAMES = (
        *("algorithm", "min_limit", "max_limit", "initial", "window_ns", "min_samples", "percentile", "probe_ns"),
        *("dropped_ratio", "smoothing", "tolerance", "alpha", "beta", "increase", "backoff", "slow_ns"),
    )

    def __init__(self, words: tuple[int, ...]) -> None:
        self.words = dict(zip(self.NAMES, words, strict=True))

    def __getattr__(self, name: str) -> Any:
        value = self.words[name]
        return value / SCALE if name in self.RATIOS else value

    def clamp(self, limit: float) -> float:
        """Within the bounds."""
        return min(max(limit, float(self.min_limit)), float(self.max_limit))


@dataclass
class State:
    """What is known after a window; the fields of the kernel's State, in order."""

    limit: float
    baseline: float = 0.0
    level: float = 0.0
    before_latency: float = 0.0
    before_limit: float = 0.0
    probed_at: int = 0
    phase: str = "starting"

    def words(self) -> tuple[Any, ...]:
        """As a tuple."""
        return tuple(vars(self).values())


@dataclass(frozen=True)
class Seen:
    """What a window has gathered."""

    latency: float
    samples: int
    dropped: int
    peak: int
    elapsed: int


def decide(c: Config, s: State, w: Seen, now: int) -> str:
    """Where the limit goes; why."""
    ended = w.samples + w.dropped
    chance = c.dropped_ratio * ended
    if w.samples == 0 or w.dropped > chance + 2 * math.sqrt(chance):
        if s.phase == "doubting":
            s.limit = s.before_limit
        s.limit = c.clamp(s.limit * max(0.5, min(0.9, 1 - w.dropped / ended)))
        s.phase = "steady"
        return "dropped"
    if c.algorithm == 2:
        return _aimd(c, s, w)
    if s.baseline == 0:
        s.baseline = w.latency
    binds = w.peak >= 0.9 * math.floor(s.limit)
    if s.phase in ("probing", "doubting"):
        return _probe(c, s, w, binds, now)
    return _idle(c, s, w) if 2 * w.peak < s.limit else _follow(c, s, w, binds, now)


def _idle(c: Config, s: State, w: Seen) -> str:
    weight = min(1.0, w.elapsed / c.probe_ns) if w.latency > s.baseline else 1.0
    s.baseline += weight * (w.latency - s.baseline)
    return "idle"


def _follow(c: Config, s: State, w: Seen, binds: bool, now: int) -> str:
    before = s.limit
    if w.latency < s.baseline or w.peak <= s.level:
        s.baseline += 0.3 * (w.latency - s.baseline)
    wanted, congested = (_vegas if c.algorithm else _gradient)(c, s, w.latency)
    starting = s.phase == "starting"
    due = now - s.probed_at >= max(c.probe_ns, 40 * w.elapsed)
    if starting and congested:
        s.phase, s.probed_at = "steady", LONG_AGO
        return "held"
    if binds and not starting and (congested or due):
        return _step_down(c, s, w.latency, now)
    weight = math.sqrt(c.smoothing) if w.latency <= 1.15 * s.baseline else c.smoothing
    s.limit = c.clamp(s.limit + weight * ((2 * s.limit if starting else wanted) - s.limit))
    return _moved(before, s.limit)


def _moved(before: float, after: float) -> str:
    return "grown" if after > before else "shrunk" if after < before else "held"


def _gradient(c: Config, s: State, latency: float) -> tuple[float, bool]:
    slope = c.tolerance * s.baseline / latency
    wanted = s.limit * max(0.5, min(1.0, slope)) + math.sqrt(s.limit)
    return wanted, slope * 3 < 1 or (s.phase == "starting" and slope < 1)


def _vegas(c: Config, s: State, latency: float) -> tuple[float, bool]:
    scale = max(1.0, math.log10(s.limit))
    queue = s.limit * (1 - s.baseline / latency)
    alpha, beta = c.alpha * scale, c.beta * scale
    step = beta if queue <= scale else scale if queue < alpha else -scale if queue > beta else 0.0
    return s.limit + step, queue > 4 * beta or (s.phase == "starting" and queue > alpha)


def _aimd(c: Config, s: State, w: Seen) -> str:
    before = s.limit
    if c.slow_ns and w.latency > c.slow_ns:
        s.limit, s.phase = c.clamp(s.limit * c.backoff), "steady"
        return "slow"
    if 2 * w.peak < s.limit:
        return "idle"
    s.limit = c.clamp(2 * s.limit if s.phase == "starting" else s.limit + c.increase)
    return _moved(before, s.limit)


def _end_probe(s: State, why: str, now: int) -> str:
    s.phase, s.probed_at = "steady", now
    return why


def _below(c: Config, limit: float) -> float:
    whole = math.floor(limit)
    return max(float(c.min_limit), min(math.floor(whole * 0.75), whole - 1.0))


def _step_down(c: Config, s: State, latency: float, now: int) -> str:
    lower = _below(c, s.limit)
    if lower >= s.limit:
        return _end_probe(s, "probed", now)
    s.before_latency, s.before_limit, s.limit, s.phase = latency, s.limit, lower, "probing"
    return "probing"


def _probe(c: Config, s: State, w: Seen, binds: bool, now: int) -> str:
    if not binds:
        s.limit, s.baseline = c.clamp(s.before_limit), min(s.baseline, w.latency)
        return _end_probe(s, "abandoned", now)
    relief = w.latency <= s.before_latency * math.sqrt(s.limit / s.before_limit)
    if not relief:
        raises = s.level == 0 or w.latency > 1.15 * s.baseline
        if raises and s.phase == "probing" and _below(c, s.limit) < s.limit:
            s.limit, s.phase = _below(c, s.limit), "doubting"
            return "probing"
        s.baseline, s.level, s.limit = w.latency, s.limit, c.clamp(s.before_limit)
        return _end_probe(s, "probed", now)
    known = s.level != 0 and (2 - 1.15) * s.baseline <= w.latency <= 1.15 * s.baseline
    s.baseline = min(s.baseline, w.latency)
    if known:
        s.level = s.limit
        s.limit = c.clamp(s.before_limit) if s.phase == "doubting" else s.limit
        return _end_probe(s, "probed", now)
    return _step_down(c, s, w.latency, now)


def quantile(latencies: list[int], share: float) -> float:
    """The latency that `share` of them do not exceed, as a kernel that has only buckets can tell."""
    if not latencies:
        return 0.0
    ordered = sorted(latencies)
    rank = max(1, math.ceil(share * len(ordered)))
    low, width = bucket_of(ordered[rank - 1])
    before = sum(value < low for value in ordered)
    here = sum(low <= value < low + width for value in ordered)
    return low + width * ((rank - before - 0.5) / here)


def bucket_of(value: int) -> tuple[int, int]:
    """Lowest value and width: 32 of 1024 ns, then 16 an octave."""
    octave = max(0, value.bit_length() - 15)
    width = 1024 << octave
    return value // width * width, width


@dataclass
class Adaptive:
    """The whole: permits, windows, decisions."""

    config: Config
    opened: int
    window: int = 0
    state: State = field(init=False)
    latencies: list[int] = field(default_factory=list)
    dropped: int = 0
    peak: int = 0
    in_flight: int = 0
    decisions: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(float(self.config.initial))

    def try_enter(self, now: int) -> tuple[int, int] | None:
        """A permit (window, start), or None."""
        if self.in_flight >= math.floor(self.state.limit):
            return None
        self.in_flight += 1
        return self.window, now

    def settle(self, permit: tuple[int, int], outcome: str, now: int) -> None:
        """What came of a call."""
        in_flight, self.in_flight = self.in_flight, self.in_flight - 1
        window, start = permit
        if outcome == "ignore" or window != self.window:
            return
        self.peak = max(self.peak, in_flight)
        if outcome == "success":
            self.latencies.append(now - start)
        else:
            self.dropped += 1
        self._close(start, now)

    def _close(self, start: int, now: int) -> None:
        c, elapsed = self.config, now - self.opened
        enough = len(self.latencies) + self.dropped >= max(c.min_samples, self.peak)
        if enough and elapsed >= max(c.window_ns, 2 * self.state.baseline):
            latency = quantile(self.latencies, c.percentile)
            seen = Seen(latency, len(self.latencies), self.dropped, self.peak, elapsed)
            self.decisions.append((decide(c, self.state, seen, now), self.state.limit))
        elif enough or start - self.opened <= c.probe_ns:
            return
        self.window, self.opened = self.window + 1, now
        self.latencies, self.dropped, self.peak = [], 0, 0
