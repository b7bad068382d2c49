"""Baselines of a running service: what its operations did while all was well, kept in a file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError
from seawall.monitor.performance._interval import Interval

_FORMAT = "seawall performance baseline 1"


class Baseline:
    """What operations did while all was well.

    Args:
        operations: Intervals by operation, oldest first.
        origin: Words about where it comes from, such as a revision.
    """

    def __init__(
        self, operations: Mapping[str, tuple[Interval, ...]], *, origin: Mapping[str, str] | None = None
    ) -> None:
        self.operations = dict(operations)
        self.origin = {"host": platform.node(), "python": platform.python_version()} if origin is None else dict(origin)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it; the file is replaced whole or not at all."""
        target = Path(path)
        beside = target.with_name(f"{target.name}.{os.getpid()}.new")
        data = {"format": _FORMAT, "origin": self.origin, "operations": self.operations}
        try:
            with beside.open("w", encoding="utf-8") as file:
                json.dump(data, file, allow_nan=False)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Baseline:
        """What `save` wrote.

        Raises:
            ConfigError: there is no such file, or it is no baseline.
        """
        try:
            data: Any = json.loads(Path(path).read_text(encoding="utf-8"))
            found = {name: tuple(Interval(*each) for each in kept) for name, kept in data["operations"].items()}
        except FileNotFoundError:
            raise ConfigError(
                f"baseline must be a file that Baseline.save wrote, got {str(path)!r}: no such file"
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"baseline must be a file that Baseline.save wrote, got {str(path)!r}: {error}"
            ) from error
        if data.get("format") != _FORMAT:
            raise ConfigError(f"baseline must be of format {_FORMAT!r}, got {data.get('format')!r} in {str(path)!r}")
        return cls(found, origin=data.get("origin", {}))

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}: {len(kept)} intervals" for name, kept in self.operations.items())
        return f"<Baseline of {parts or 'nothing'}>"
