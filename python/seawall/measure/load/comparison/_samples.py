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
from seawall.measure._hlog import HlogInterval, read_hlog
from seawall.measure.load.result._result import LoadResult

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
        rate: Requests a second that it was asked for; 0 where nothing tells.
    """

    blocks: tuple[Histogram, ...]
    completed: int
    failed: int
    doubt: str | None
    rate: float


def read_side(name: str, given: Run | Sequence[Run]) -> list[Sample]:
    """Read one side of a comparison; a folder stands for all `*.json` in it.

    Raises:
        ConfigError: It is empty, or something else than results and files of results.
    """
    runs: Sequence[Any] = [given] if isinstance(given, (LoadResult, str, os.PathLike)) else given
    if not isinstance(runs, Sequence) or not runs:
        raise ConfigError(f"{name} must be a LoadResult, a file of one, or a list of them, got {given!r}")
    return [_read(name, one) for run in runs for one in expand(name, run)]


def read_facts(name: str, file: str | os.PathLike[str]) -> dict[str, Any]:
    """The JSON object of a saved load test.

    Raises:
        ConfigError: It cannot be read, or is not of a load test with blocks.
    """
    try:
        facts = json.loads(Path(file).read_text())
        _sample(facts)
    except OSError as error:
        raise ConfigError(f"{name} must be a file that can be read, got {str(file)!r}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{name} must be a saved load test with blocks, got {str(file)!r}; {_WAY_OUT}") from error
    return dict(facts)


def expand(name: str, run: object) -> list[Any]:
    """The run itself, or the files of a folder of runs.

    Raises:
        ConfigError: There is no run in the folder.
    """
    if not isinstance(run, (str, os.PathLike)) or not Path(run).is_dir():
        return [run]
    files = sorted(Path(run).glob("*.json"))
    if not files:
        raise ConfigError(f"{name} must be a folder with runs, got {str(run)!r} without any *.json; {_WAY_OUT}")
    return files


def _read(name: str, run: object) -> Sample:
    if isinstance(run, LoadResult):
        doubt = None if run.verdict.valid else str(run.verdict)
        return _made(run.blocks, run.planned, run.completed, run.succeeded, doubt)
    if not isinstance(run, (str, os.PathLike)):
        raise ConfigError(f"{name} must be a LoadResult, a file of one, or a list of them, got {run!r}")
    return _sample(read_facts(name, run))


def _sample(facts: Mapping[str, Any]) -> Sample:
    verdict = facts["verdict"]
    doubt = None if verdict["valid"] else f"{verdict['cause']}: {'; '.join(verdict['reasons'])}"
    intervals = read_hlog("\n".join(facts["blocks"]))
    return _made(intervals, int(facts["planned"]), int(facts["completed"]), int(facts["succeeded"]), doubt)


def _made(intervals: Sequence[HlogInterval], planned: int, completed: int, succeeded: int, doubt: str | None) -> Sample:
    # The last block ends where the plan did: answers that came later lengthen the run but not the plan.
    length = intervals[-1].start + intervals[-1].duration if intervals else 0.0
    blocks = tuple(interval.histogram for interval in intervals if interval.histogram.count)
    return Sample(blocks, completed, completed - succeeded, doubt, planned / length if length else 0.0)
