"""Builds csrc/bench/instructions and reads what callgrind counts."""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BUILD = ROOT / "build" / "instructions"
_CXX = os.environ.get("CXX", "g++")
_FLAGS = ("-DCMAKE_BUILD_TYPE=Release", "-DSEAWALL_PYTHON=OFF", "-DSEAWALL_INSTRUCTIONS=ON")


def tool(name: str) -> str:
    """A program beside this interpreter (an environment that is not activated has its own), else on the path."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise SystemExit(f"{name} is needed to count instructions: apt install g++ valgrind, pip install cmake ninja")
    return found


@functools.cache
def compiler() -> str:
    """The compiler and the processor it compiles for, as far as they decide the instructions."""
    version = _output([tool(_CXX), "-dumpfullversion", "-dumpversion"]).strip()
    return f"{Path(_CXX).name} {version} {platform.machine()}"


def build() -> Path:
    """The program, built with the flags of the extension modules."""
    make = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"]
    # Fresh, because an earlier environment or compiler may have configured it.
    _output([tool("cmake"), "--fresh", "-S", str(ROOT), "-B", str(_BUILD), *make, *_FLAGS])
    _output([tool("cmake"), "--build", str(_BUILD)])
    return _BUILD / "csrc" / "bench" / "instructions" / "seawall_instructions"


def count(program: Path) -> dict[str, float]:
    """Instructions of one operation, by name: the difference of many and few, so that what surrounds them is off."""
    with tempfile.TemporaryDirectory() as directory:
        command = [tool("valgrind"), "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=measured"]
        command += ["--dump-after=measured", f"--callgrind-out-file={directory}/out", str(program)]
        lines = _output(command).splitlines()
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


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "CXX": _CXX})
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
