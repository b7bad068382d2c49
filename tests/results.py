"""Results of load tests that never ran, made from chosen numbers: every field filled, or hardly any."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seawall.measure import Histogram, HlogInterval, LoadResult
from seawall.measure.load import Generator, Note, Part, Throughput, Verdict
from seawall.measure.load._thresholds import Threshold


def times(values: Sequence[float]) -> Histogram:
    """A histogram of these times."""
    made = Histogram(highest=60.0)
    made.record_many(values)
    return made


def full(
    *,
    duration: float = 600.0,
    interval: float = 1.0,
    rate: float = 400.0,
    scenarios: int = 5,
    phases: int = 8,
    notes: int = 60,
    warmup: float = 20.0,
    word: str = "",
    seed: int = 1,
) -> LoadResult:
    """A run with everything: a wave of load, a stall, failures, a warm-up, scenarios, phases, notes."""
    rng = np.random.default_rng(seed)
    n = round(duration / interval)
    at = (np.arange(n) + 0.5) * interval
    planned = rate * interval * (0.6 + 0.4 * np.sin(at / duration * 4 * math.pi))
    sent = rng.poisson(planned)
    stalled = (at > 0.4 * duration) & (at < 0.43 * duration)
    completed = np.where(stalled, 0, sent)
    completed[int(0.43 * n) + 1] += int(sent[stalled].sum())
    failed = np.minimum(rng.binomial(completed, 0.02), completed)
    slowest = np.where(completed > 0, 0.05 + rng.exponential(0.1, n), 0.0)
    whole, blocks = Histogram(highest=60.0), []
    for i in range(64):
        share = Histogram(highest=60.0)
        few = rng.lognormal(-4.5, 0.6, max(int(sent.sum()) // 64, 1))
        if 0.4 < i / 64 < 0.43:
            few = few + rng.uniform(0.0, 0.03 * duration, few.size)
        share.record_many(few)
        whole.merge(share)
        blocks.append(HlogInterval(i * duration / 64, duration / 64, None, share))
    service = times(rng.lognormal(-4.5, 0.6, int(sent.sum())))
    well = int((completed - failed).sum())
    result = LoadResult(
        response_time=whole,
        service_time=service,
        schedule_error=times(rng.exponential(0.0002, 5000)),
        throughput=Throughput(
            interval,
            tuple(float(x) for x in planned),
            tuple(int(x) for x in sent),
            tuple(int(x) for x in completed),
            tuple(int(x) for x in completed - failed),
            tuple(int(x) * 2048 for x in completed),
            tuple(int(x) for x in np.where(stalled, sent // 2, 0)),
            tuple(float(x) for x in slowest),
        ),
        outcomes={"2xx": well, f"status 503{word}": int(failed.sum()) - 3, f"timeout{word}": 3},
        planned=int(sent.sum()) + 2,
        sent=int(sent.sum()),
        completed=int(completed.sum()),
        late=int(sent[stalled].sum()) // 2,
        dropped=2,
        first_error=f"took longer than 10 s{word}",
        verdict=Verdict(False, (f"2 of {int(sent.sum()) + 2:,} requests were never sent{word}",)),
        duration=duration,
        interrupted=False,
        seed=seed,
        blocks=tuple(blocks),
        aborted=None,
        target=f"GET http://127.0.0.1:8000/orders{word}",
        pattern=f"sine from 80 to 400 requests/s{word}",
        began="2026-11-24T10:00:00Z",
        warmup=warmup,
        scenarios=tuple(_part(f"scenario {i}{word}", rng, warmup, duration) for i in range(scenarios)),
        phases=(
            _part(f"warm-up{word}", rng, 0.0, warmup, counted=False),
            *_phases(phases, rng, warmup, duration, word),
        ),
        notes=tuple(_note(i, notes, warmup, duration, word) for i in range(notes)),
        generator=Generator(0.62, 0.01, times(rng.exponential(0.0005, 2000)), processes=2),
        errors={f"timeout{word}": f"took longer than 10 s{word}"},
        plan={"pattern": f"sine{word}", "rates": [80, 400]},
    )
    outcomes = [Threshold.parse(text).evaluate(result) for text in ("p99<250ms", "errors<1%", "rate>100/s")]
    from dataclasses import replace

    return replace(result, thresholds=tuple(outcomes))


def bare(*, ended: int = 0) -> LoadResult:
    """A run of which hardly anything is known."""
    taken = times([0.01] * ended)
    counts = (ended,) if ended else ()
    throughput = Throughput(1.0, counts, counts, counts, counts, tuple(0 for _ in counts))
    return LoadResult(
        taken, taken, Histogram(), throughput, {"2xx": ended} if ended else {}, ended, ended,
        ended, 0, 0, None, Verdict(True), 1.0, False,
    )  # fmt: skip


def _phases(n: int, rng: np.random.Generator, warmup: float, duration: float, word: str) -> list[Part]:
    width = duration / max(n, 1)
    names = ("ramp", "hold", "peak", "recovery")
    return [_part(f"{names[i % 4]} {i // 4 + 1}{word}", rng, warmup + i * width, width) for i in range(n)]


def _part(name: str, rng: np.random.Generator, start: float, duration: float, *, counted: bool = True) -> Part:
    taken = times(rng.lognormal(-4.5, rng.uniform(0.3, 0.9), 3000))
    return Part(
        name, "HTTP/1.1 in Python", start, duration, taken, taken, {"2xx": 2990, "status 503": 10}, 3001, 3000, 3000,
        2990, 4, 3000 * 2048, counted,
    )  # fmt: skip


def _note(i: int, n: int, warmup: float, duration: float, word: str) -> Note:
    at = warmup + duration * (i + 0.5) / n
    if i % 3:
        return Note(at, f"breaker payments{word}", "event", f"closed to open after {i} failures{word}", i * 100, i * 99)
    return Note(at, f"deploy {i}{word}", "checkpoint", "", i * 100, i * 99, i * 98, i * 2048)
