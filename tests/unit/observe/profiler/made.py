"""Profiles that are made, not taken."""

from __future__ import annotations

from seawall.observe.profiler import Frame, Profile, Sampling, Stack
from seawall.observe.profiler._stack import CPU, SAMPLES, WAITING, WALL

MAIN = Frame("main", "/srv/app.py", 10, 8)
HOT = Frame("Shop.price", "/srv/shop.py", 31, 30)
COLD = Frame("wait", "/usr/lib/python3/threading.py", 5, 1)


def stack(*frames: Frame, group: str = "MainThread", sort: str = "thread") -> Stack:
    """A stack of these frames."""
    return Stack(sort, group, frames)  # type: ignore[arg-type]


def profile(seconds: float = 2.0) -> Profile:
    """Two seconds: price ran for 1.5 s, and waited in a thread of its own."""
    stacks = {
        stack(MAIN, HOT): (150, 1_500_000_000, 1_400_000_000, 0),
        stack(MAIN): (50, 500_000_000, 100_000_000, 400_000_000),
        stack(COLD, group="Thread-* (work)"): (200, 2_000_000_000, 0, 2_000_000_000),
        stack(MAIN, COLD, group="tasks", sort="task"): (200, 2_000_000_000, 0, 2_000_000_000),
    }
    sampling = Sampling(rate=100, samples=200, seconds=seconds, spent=0.01)
    return Profile((SAMPLES, WALL, CPU, WAITING), stacks, 1_700_000_000.0, seconds, sampling)
