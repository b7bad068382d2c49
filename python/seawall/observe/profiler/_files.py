"""Profiles as files."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path

from seawall.errors import ConfigError
from seawall.observe.profiler._profile import Profile

WRITERS: dict[str, Callable[[Profile], bytes]] = {
    ".html": lambda profile: profile.to_html().encode(),
    ".speedscope.json": lambda profile: profile.to_speedscope().encode(),
    ".pb.gz": lambda profile: profile.to_pprof(),
    ".collapsed": lambda profile: profile.to_collapsed().encode(),
}


def save(profile: Profile, path: str | PathLike[str]) -> None:
    """Write the file that the name asks for; whole, or not at all."""
    write = next((writer for ending, writer in WRITERS.items() if fspath(path).endswith(ending)), None)
    if write is None:
        raise ConfigError(f"the name of a profile must end in one of {', '.join(WRITERS)}, got {fspath(path)!r}")
    target = Path(path)
    part = target.with_name(target.name + ".part")
    part.write_bytes(write(profile))
    part.replace(target)
