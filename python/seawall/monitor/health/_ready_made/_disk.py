"""Is there room on a disk?"""

from __future__ import annotations

import os

from seawall.errors import ConfigError
from seawall.monitor.health._words import Outcome, Status


class DiskCheck:
    """Compares what is free, in bytes and in files (inodes), for whoever is not root.

    Args:
        path: Any path on it.
        warn: Share that should be free, 0 to 1.
        fail: Share that must be free, 0 to `warn`.
        fail_bytes: Bytes that must be free besides.
    """

    def __init__(
        self, path: str | os.PathLike[str] = "/", *, warn: float = 0.1, fail: float = 0.02, fail_bytes: int = 0
    ) -> None:
        for name, value in (("warn", warn), ("fail", fail)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ConfigError(f"{name} must be a share of 0 to 1, got {value!r}")
        if fail > warn:
            raise ConfigError(f"fail must be at most warn, got fail {fail:g} and warn {warn:g}")
        if isinstance(fail_bytes, bool) or not isinstance(fail_bytes, int) or fail_bytes < 0:
            raise ConfigError(f"fail_bytes must be a whole number of bytes, at least 0, got {fail_bytes!r}")
        self.path = os.fspath(path)
        self.warn = float(warn)
        self.fail = float(fail)
        self.fail_bytes = fail_bytes

    def __call__(self) -> Outcome:
        """Look once."""
        found = os.statvfs(self.path)
        free = found.f_bavail * found.f_frsize
        # A file system without fixed files (btrfs, many of the network) says 0 of 0.
        files = found.f_favail / found.f_files if found.f_files else 1.0
        return judged(free, found.f_blocks * found.f_frsize, files, self)

    def __repr__(self) -> str:
        return f"<DiskCheck {self.path!r}: warn {self.warn:.0%}, fail {self.fail:.0%}>"


def judged(free: int, total: int, files: float, limits: DiskCheck) -> Outcome:
    """What free bytes of all, and a share of free files, mean."""
    share = free / total if total else 1.0
    if free < limits.fail_bytes:
        text = f"{limits.path}: {free:,} bytes are free, {limits.fail_bytes:,} must be"
        return Outcome.failed(text, value=round(share, 4), unit="ratio")
    for status, least, verb in ((Status.FAIL, limits.fail, "must"), (Status.WARN, limits.warn, "should")):
        if min(share, files) < least:
            what = "space" if share <= files else "files"
            text = f"{limits.path}: {min(share, files):.1%} of {what} is free, {least:.1%} {verb} be"
            return Outcome(status, text, round(share, 4), "ratio")
    return Outcome.passed(value=round(share, 4), unit="ratio")
