"""Writing traces into a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from seawall._core.tracing import Batch
from seawall.errors import ConfigError
from seawall.observe.tracing._encoding import to_json
from seawall.observe.tracing._exporter import Exporter


class FileExporter(Exporter):
    """Appends traces to a file: JSON lines, each an export request of OTLP, as a collector's file receiver reads them.

    Guarantees: several processes may write the same file; lines stay whole on a local disk. The file never grows much
    beyond `max_bytes`: it becomes `<name>.1`, replacing what was there.

    Args:
        path: Where; the folder must exist.
        max_bytes: From which size on it is replaced.
        options: Those of Exporter: retry, clock, interval, max_batch and max_queue.

    Raises:
        ConfigError: There is no such folder, or max_bytes is below 1,000.
    """

    def __init__(self, path: str | Path, *, max_bytes: int = 100_000_000, **options: Any) -> None:
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise ConfigError(f"path must lie in a folder that exists, got {str(path)!r}")
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 1_000:
            raise ConfigError(f"max_bytes must be a whole number, at least 1,000, got {max_bytes!r}")
        self._max_bytes = max_bytes
        super().__init__(**options)

    def send(self, batches: list[Batch]) -> int:
        """Append the batches, a line each."""
        lines = b"".join(to_json([batch]) + b"\n" for batch in batches)
        if self.path.exists() and self.path.stat().st_size + len(lines) > self._max_bytes:
            os.replace(self.path, self.path.with_name(self.path.name + ".1"))
        # One write to a file opened for appending: lines of several processes do not mix.
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            written = os.write(file, lines)
            while written < len(lines):
                written += os.write(file, lines[written:])
        finally:
            os.close(file)
        return sum(map(len, batches))
