"""Builds csrc/bench/instructions and reads what callgrind counts."""

from __future__ import annotations

import functools
import platform
import re
import tempfile
from pathlib import Path

from benchmarks import _build
from benchmarks._build import CXX, ROOT, output, tool

__all__ = ["ROOT", "build", "compiler", "count"]


@functools.cache
def compiler() -> str:
    """The compiler and the processor it compiles for, as far as they decide the instructions."""
    version = output([tool(CXX), "-dumpfullversion", "-dumpversion"]).strip()
    return f"{Path(CXX).name} {version} {platform.machine()}"


def build() -> Path:
    """The program whose instructions are counted."""
    return _build.build("instructions", "SEAWALL_INSTRUCTIONS")


def count(program: Path) -> dict[str, float]:
    """Instructions of one operation, by name: the difference of many and few, so that what surrounds them is off."""
    with tempfile.TemporaryDirectory() as directory:
        command = [tool("valgrind"), "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=measured"]
        command += ["--dump-after=measured", f"--callgrind-out-file={directory}/out", str(program)]
        lines = output(command).splitlines()
        counts = {}
        for place, line in enumerate(lines):
            executions, _, name = line.partition("\t")
            few, many = (_total(Path(directory) / f"out.{2 * place + run}") for run in (1, 2))
            counts[name] = (many - few) / int(executions)
    return counts


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)$", dump.read_text(), re.MULTILINE)
    if found is None or int(found[1]) == 0:
        raise SystemExit(f"callgrind counted nothing into {dump.name}: was `measured` inlined?")
    return int(found[1])
