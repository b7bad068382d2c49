"""What a generator says of a run, whichever it was."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from benchmarks.load._cores import GENERATOR, pinned

PERCENTS = (50.0, 90.0, 95.0, 99.0)
# Each run is bounded; this much longer than it should take, a generator is hung and is ended.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Run:
    """One run of a generator.

    Units: seconds; percentiles by percent, the greatest value as 100.
    """

    completed: int
    seconds: float
    cpu: float
    response: Mapping[float, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.completed / self.seconds

    @property
    def cpu_each(self) -> float:
        """Seconds of a processor for one request."""
        return self.cpu / max(self.completed, 1)


def output(command: Sequence[str], env: Mapping[str, str] | None = None, *, alone: bool = False) -> str:
    """What a generator writes, on the processor that is for generators; on all of them where it is alone."""
    with nullcontext() if alone else pinned(GENERATOR):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE, env={**os.environ, **(env or {})}
        )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
