"""The fixtures that come with seawall."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.testing import Seeded


def test_manual_clock_stands(manual_clock: ManualClock) -> None:
    """The fixture is a clock of this test's own."""
    assert manual_clock.time() == 0


def test_seawall_segment_is_usable(seawall_segment: sw.Segment) -> None:
    """The fixture is an empty segment that limits can be put into."""
    assert seawall_segment.describe() == ()
    assert sw.TokenBucket(1, shared=seawall_segment).try_acquire()


INNER = """
import os

paths, proxies = [], []

def test_seed(seawall_seed):
    print("seed", seawall_seed)
    assert seawall_seed != 4711

def test_segment(seawall_segment):
    paths.append(seawall_segment.path)
    assert os.path.exists(paths[0])

def test_segment_is_gone():
    assert not os.path.exists(paths[0])

def test_proxy(fault_proxy, seawall_seed):
    proxies.extend((fault_proxy(("127.0.0.1", 9)), fault_proxy(("127.0.0.1", 9), seed=1)))
    assert [proxy.seed for proxy in proxies] == [seawall_seed, 1]
    assert all("open" in repr(proxy) for proxy in proxies)

def test_proxies_are_closed():
    assert all("closed" in repr(proxy) for proxy in proxies)
"""


def pytest_run(tmp_path: Path, *options: str, **environment: str) -> str:
    """What pytest prints for the tests above in a project of its own."""
    (tmp_path / "test_inner.py").write_text(INNER)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_inner.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    return done.stdout


def test_the_fixtures_are_found_by_pytest_and_a_seed_repeats_a_run(tmp_path: Path) -> None:
    """A project that installs seawall has the fixtures; a failure shows its seed, which can be given again."""
    assert "5 passed" in pytest_run(tmp_path)
    failed = pytest_run(tmp_path, "--seawall-seed=4711")
    assert "seawall_seed = 4711; repeat with --seawall-seed=4711" in failed
    assert "1 failed, 4 passed" in failed
    assert "1 failed, 4 passed" in pytest_run(tmp_path, SEAWALL_SEED="4711")


def test_the_plugin_loads_no_room_of_seawall(tmp_path: Path) -> None:
    """A project that only has seawall installed pays nothing in its test runs."""
    (tmp_path / "test_inner.py").write_text(
        "import sys\ndef test_light():\n"
        "    assert sorted(m for m in sys.modules if m.startswith('seawall')) == "
        "['seawall', 'seawall.testing', 'seawall.testing._plugin']\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_inner.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout


def test_seeded_chance_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The repr says how."""
    chance = Seeded()
    assert [Seeded(chance.origin).random()] == [chance.random()]
    assert repr(Seeded(3)) == "Seeded(3)"
    monkeypatch.setenv("SEAWALL_SEED", "17")
    assert Seeded().origin == 17
    monkeypatch.setenv("SEAWALL_SEED", "x")
    with pytest.raises(ConfigError) as caught:
        Seeded()
    assert str(caught.value) == "SEAWALL_SEED must be a whole number, got 'x'"
