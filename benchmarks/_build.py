"""Builds the programs of csrc/bench that need nothing installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CXX = os.environ.get("CXX", "g++")


def tool(name: str) -> str:
    """A program beside this interpreter (an environment that is not activated has its own), else on the path."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise SystemExit(f"{name} is needed here: apt install g++ valgrind, pip install cmake ninja")
    return found


def build(folder: str, option: str) -> Path:
    """The program `seawall_FOLDER` of csrc/bench/FOLDER, built with the flags of the extension modules."""
    place = ROOT / "build" / folder
    flags = ["-DCMAKE_BUILD_TYPE=Release", "-DSEAWALL_PYTHON=OFF", f"-D{option}=ON"]
    make = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"]
    # Fresh, because an earlier environment or compiler may have configured it.
    output([tool("cmake"), "--fresh", "-S", str(ROOT), "-B", str(place), *make, *flags])
    output([tool("cmake"), "--build", str(place)])
    return place / "csrc" / "bench" / folder / f"seawall_{folder}"


def output(command: list[str]) -> str:
    """What a command writes; it must end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "CXX": CXX})
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
