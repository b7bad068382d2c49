"""Baselines: saved runs, by name, in a folder, to compare later runs with."""

from __future__ import annotations

import json
import os
import platform
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.comparison._samples import Run, expand, read_facts
from seawall.measure.load.result._result import LoadResult

FOLDER = ".seawall/baselines"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FILE = re.compile(r"(\d{6,})-[0-9a-f]{8}\.json")


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run of a baseline.

    Args:
        path: Its file, a saved load test like any other.
        saved: When, in UTC; None where the file does not say.
        revision: Of the code under test, as given.
        host: Name of the machine that sent the requests.
        python: Version of Python.
        seawall: Version of seawall.
        pattern: What the load was, in words.
        completed: Requests that ended.
    """

    path: Path
    saved: datetime | None
    revision: str | None
    host: str | None
    python: str | None
    seawall: str | None
    pattern: str | None
    completed: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """Runs saved under a name, the oldest first."""

    name: str
    runs: tuple[SavedRun, ...]

    @property
    def paths(self) -> list[Path]:
        """The files: a side for `compare`."""
        return [run.path for run in self.runs]


class Baselines:
    """Baselines in a folder: NAME/NUMBER-CHANCE.json, each a saved load test with a few words about its origin.

    Guarantees: a file is written whole or not at all (write, fsync, rename), and never over another one; two processes
    may save under the same name.

    Args:
        folder: Made at the first save.

    Example:
        >>> Baselines("/no/such/folder").list()
        ()
    """

    def __init__(self, folder: str | os.PathLike[str] = FOLDER) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"Baselines({str(self.folder)!r})"

    def __contains__(self, name: str) -> bool:
        return bool(self._files(name))

    def save(
        self,
        name: str,
        runs: Run | Sequence[Run],
        *,
        keep: int = 10,
        revision: str | None = None,
        pattern: str | None = None,
        now: datetime | None = None,
    ) -> Baseline:
        """Add runs to a baseline and keep the last ones of all.

        Args:
            name: Letters, digits and . _ -, at most 100, the first a letter or a digit.
            runs: Results, files of results or folders of such files, oldest first.
            keep: How many runs to keep, the new ones included, 1 to 1,000; as many as `runs` replaces the baseline.
            revision: Of the code under test.
            pattern: What the load was, in words.
            now: When; the present by default.

        Raises:
            ConfigError: An option is out of range, a run cannot be read, or its generator was the bottleneck; then
                nothing is saved.
            OSError: The folder cannot be written.
        """
        directory = self._directory(name)
        keep = _checks.whole("keep", keep, low=1, high=1000, unit="runs", way_out="10 is the default")
        given: Sequence[Any] = [runs] if isinstance(runs, (LoadResult, str, os.PathLike)) else runs
        facts = [_facts(one) for run in given for one in expand("run", run)]
        if not facts:
            raise ConfigError(f"runs must be results or files of results, got {runs!r}; give at least one")
        origin = _origin(revision, now or datetime.now(UTC))
        directory.mkdir(parents=True, exist_ok=True)
        for one in facts:
            _write(directory, self._files(name), {**one, "baseline": {**origin, "pattern": pattern}})
        self.prune(name, keep)
        return self.load(name)

    def load(self, name: str) -> Baseline:
        """The runs of a baseline.

        Raises:
            ConfigError: There is none of that name, or a file of it is not of a load test.
        """
        found = tuple(run for file in self._files(name) if (run := _saved(file)) is not None)
        if not found:
            raise ConfigError(f"baseline must be one of {self._known()}, got {name!r}; save it first")
        return Baseline(name, found)

    def list(self) -> tuple[Baseline, ...]:
        """All baselines of the folder, by name."""
        return tuple(self.load(name) for name in self._names())

    def prune(self, name: str, keep: int) -> int:
        """Remove all but the last `keep` runs of a baseline; how many were removed."""
        keep = _checks.whole("keep", keep, low=1, high=1000, unit="runs", way_out="10 is the default")
        old = self._files(name)[:-keep]
        for file in old:
            # Another process may have pruned at the same time.
            file.unlink(missing_ok=True)
        return len(old)

    def _directory(self, name: str) -> Path:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigError(
                "name of a baseline must be letters, digits and . _ -, at most 100, the first a letter or a digit, "
                f"got {name!r}; for example main or release-1.2"
            )
        return self.folder / name

    def _files(self, name: str) -> tuple[Path, ...]:
        found = [file for file in self._directory(name).glob("*.json") if _FILE.fullmatch(file.name)]
        return tuple(sorted(found, key=_number))

    def _names(self) -> tuple[str, ...]:
        if not self.folder.is_dir():
            return ()
        names = (one.name for one in self.folder.iterdir() if _NAME.fullmatch(one.name) and self._files(one.name))
        return tuple(sorted(names))

    def _known(self) -> str:
        names = self._names()
        return (
            f"{', '.join(names)} in {str(self.folder)!r}" if names else f"those in {str(self.folder)!r}, which has none"
        )


def _number(file: Path) -> tuple[int, str]:
    match = _FILE.fullmatch(file.name)
    return (int(match[1]) if match else 0), file.name


def _facts(run: Any) -> dict[str, Any]:
    facts = json.loads(run.to_json()) if isinstance(run, LoadResult) else read_facts("run", run)
    verdict = facts["verdict"]
    if not verdict["valid"]:
        reasons = "; ".join(verdict["reasons"])
        shown = "a LoadResult" if isinstance(run, LoadResult) else repr(str(run))
        raise ConfigError(f"a run of a baseline must be valid, got {shown}: {verdict['cause']}: {reasons}")
    return facts


def _origin(revision: str | None, now: datetime) -> dict[str, Any]:
    return {
        "saved": now.astimezone(UTC).isoformat(timespec="seconds"),
        "revision": revision,
        "host": platform.node(),
        "python": platform.python_version(),
        "seawall": version("seawall"),
    }


def _write(directory: Path, present: Sequence[Path], facts: dict[str, Any]) -> None:
    number = _number(present[-1])[0] + 1 if present else 1
    # Chance keeps processes that found the same number apart.
    target = directory / f"{number:06}-{secrets.token_hex(4)}.json"
    part = target.with_suffix(".part")
    try:
        with part.open("x") as out:
            json.dump(facts, out, indent=2)
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    _sync(directory)


def _sync(directory: Path) -> None:
    # The new name survives a power cut only once the directory is on the disk.
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _saved(file: Path) -> SavedRun | None:
    try:
        facts = read_facts("baseline", file)
    except ConfigError:
        # Another process may have pruned it since it was listed.
        if file.exists():
            raise
        return None
    origin = facts.get("baseline") or {}
    words = {name: origin.get(name) for name in ("revision", "host", "python", "seawall", "pattern")}
    saved = datetime.fromisoformat(origin["saved"]) if origin.get("saved") else None
    return SavedRun(path=file, saved=saved, completed=int(facts["completed"]), **words)
