"""The side of a comparison: one run or several, from memory or from saved results."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError
from seawall.measure._histogram import Histogram
from seawall.measure._hlog import read_hlog
from seawall.measure.load._result import LoadResult

Run = LoadResult | str | os.PathLike[str]
_WAY_OUT = "write it with `seawall load --json` or LoadResult.to_json()"


@dataclass(frozen=True, slots=True)
class Sample:
    """What a comparison needs of one run.

    Args:
        blocks: Response times by blocks of time; none is empty.
        completed: Requests that ended.
        failed: Those of them that did not succeed.
        doubt: Why its numbers do not speak of the target; None where they do.
    """

    blocks: tuple[Histogram, ...]
    completed: int
    failed: int
    doubt: str | None


def read_side(name: str, given: Run | Sequence[Run]) -> list[Sample]:
    """Read one side of a comparison.

    Raises:
        ConfigError: It is empty, or something else than results and files of results.
    """
    runs: Sequence[Any] = [given] if isinstance(given, (LoadResult, str, os.PathLike)) else given
    if not isinstance(runs, Sequence) or not runs:
        raise ConfigError(f"{name} must be a LoadResult, a file of one, or a list of them, got {given!r}")
    return [_read(name, run) for run in runs]


def _read(name: str, run: object) -> Sample:
    if isinstance(run, LoadResult):
        doubt = None if run.verdict.valid else str(run.verdict)
        blocks = tuple(block.histogram for block in run.blocks if block.histogram.count)
        return Sample(blocks, run.completed, run.completed - run.succeeded, doubt)
    if not isinstance(run, (str, os.PathLike)):
        raise ConfigError(f"{name} must be a LoadResult, a file of one, or a list of them, got {run!r}")
    try:
        return _sample(json.loads(Path(run).read_text()))
    except OSError as error:
        raise ConfigError(f"{name} must be a file that can be read, got {str(run)!r}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{name} must be a saved load test with blocks, got {str(run)!r}; {_WAY_OUT}") from error


def _sample(facts: Mapping[str, Any]) -> Sample:
    verdict = facts["verdict"]
    doubt = None if verdict["valid"] else f"{verdict['cause']}: {'; '.join(verdict['reasons'])}"
    intervals = read_hlog("\n".join(facts["blocks"]))
    completed = int(facts["completed"])
    blocks = tuple(interval.histogram for interval in intervals if interval.histogram.count)
    return Sample(blocks, completed, completed - int(facts["succeeded"]), doubt)
