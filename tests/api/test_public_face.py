"""The face: names, weight, and the shape of the tree."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import seawall

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ROOT / "tests" / "api" / "public_names.txt"
ROOMS = (
    "seawall",
    "seawall.clock",
    "seawall.distributed.clocks",
    "seawall.distributed.election",
    "seawall.distributed.hashing",
    "seawall.distributed.limits",
    "seawall.distributed.locks",
    "seawall.distributed.transactions",
    "seawall.distributed.transactions.barrier",
    "seawall.distributed.transactions.choreography",
    "seawall.distributed.transactions.saga",
    "seawall.distributed.transactions.tcc",
    "seawall.distributed.transactions.three_phase",
    "seawall.distributed.transactions.two_phase",
    "seawall.engines",
    "seawall.engines.memory",
    "seawall.engines.sqlite",
    "seawall.errors",
    "seawall.errors.recovery",
    "seawall.guard",
    "seawall.guard.breaker",
    "seawall.guard.adaptive",
    "seawall.guard.bulkhead",
    "seawall.guard.fallback",
    "seawall.guard.limits",
    "seawall.guard.pipeline",
    "seawall.guard.presets",
    "seawall.guard.retry",
    "seawall.guard.timeout",
    "seawall.measure",
    "seawall.measure.report",
    "seawall.memory",
    "seawall.monitor",
    "seawall.monitor.anomaly",
    "seawall.monitor.health",
    "seawall.monitor.performance",
    "seawall.monitor.recovery",
    "seawall.monitor.resources",
    "seawall.monitor.shutdown",
    "seawall.monitor.suspicion",
    "seawall.observe",
    "seawall.observe.alerts",
    "seawall.observe.alerts.channels",
    "seawall.observe.dashboard",
    "seawall.observe.export",
    "seawall.observe.logs",
    "seawall.observe.metrics",
    "seawall.observe.panels",
    "seawall.observe.profiler",
    "seawall.observe.signals",
    "seawall.observe.tracing",
    "seawall.patterns",
    "seawall.testing",
)


def names() -> str:
    """Every public name by room, one a line."""
    return "".join(f"{room}.{name}\n" for room in ROOMS for name in sorted(importlib.import_module(room).__all__))


def test_public_names_change_only_with_their_list() -> None:
    """A public name is added or removed on purpose: `python tests/api/test_public_face.py` rewrites the list."""
    assert names() == PUBLIC.read_text()


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_can_be_imported(room: str) -> None:
    """What a room promises in __all__ is there."""
    module = importlib.import_module(room)
    assert all(getattr(module, name) is not None for name in module.__all__)


def test_dir_lists_the_face() -> None:
    """dir(seawall) shows the names that can be used, loaded or not."""
    assert dir(seawall) == sorted(seawall.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelled name fails like any other attribute."""
    with pytest.raises(AttributeError, match=r"^module 'seawall' has no attribute 'TokenBuckets'$"):
        _ = seawall.TokenBuckets


def test_importing_seawall_loads_nothing_but_itself() -> None:
    """`import seawall` loads no third-party package and no module of its own rooms, and starts no thread."""
    code = (
        "import sys; before = set(sys.modules); import seawall, threading; "
        "new = {m for m in set(sys.modules) - before if m.partition('.')[0] not in sys.stdlib_module_names}; "
        "print(sorted(new), threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['seawall'] 1\n"


def test_a_limit_loads_neither_numpy_nor_the_load_generator() -> None:
    """Who only limits pays for nothing else."""
    code = (
        "import sys, seawall; seawall.TokenBucket(1).try_acquire(); "
        "print([m for m in ('numpy', 'aiohttp', 'click', 'rich', 'seawall.measure', 'seawall.patterns', "
        "'seawall.errors._journal') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_files_stay_readable() -> None:
    """No source file grows beyond 500 lines."""
    patterns = ("python/**/*.py", "pyext/**/*.py*", "csrc/include/**/*.hpp")
    long = [str(p) for pattern in patterns for p in ROOT.glob(pattern) if len(p.read_text().splitlines()) > 500]
    assert long == []


if __name__ == "__main__":
    PUBLIC.write_text(names())
    sys.exit(0)
