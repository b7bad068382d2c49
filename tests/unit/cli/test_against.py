"""What `seawall load` does with baselines after a run, on runs whose truth is known."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tests.property._servers import Server

from seawall.cli._against import Against
from seawall.measure import Baselines, Constant, LoadResult, LoadTest
from seawall.measure.load import Verdict

TEST = LoadTest("http://127.0.0.1:1/", Constant(600), duration=64)


def result(slower: float = 0.0) -> LoadResult:
    """A run of a calm server."""
    return Server(wander=0.0, stalls=0.0, sigma=0.2).run(np.random.default_rng(int(slower * 100)), slower)


def conclude(folder: Path, run: LoadResult, *, code: int = 0, compare: bool = True) -> tuple[int, str]:
    """The exit code and what was printed last, with both options on the same name."""
    console = Console(file=io.StringIO(), width=120)
    asked = Against(
        baseline="main" if compare else None,
        save_baseline="main",
        tolerance=0.05,
        folder=str(folder),
        allow_missing=True,
        keep=10,
        revision="abc",
    )
    found = asked.conclude(TEST, run, code, console)
    assert isinstance(console.file, io.StringIO)
    return found, console.file.getvalue().strip().splitlines()[-1] if console.file.getvalue() else ""


def kept(folder: Path) -> int:
    """How many runs the baseline has."""
    return sum(len(one.runs) for one in Baselines(folder).list())


def test_a_run_that_is_not_slower_is_kept(tmp_path: Path) -> None:
    """The first is kept without a comparison, the second after it; their origin is kept with them."""
    assert conclude(tmp_path, result()) == (0, "")
    assert conclude(tmp_path, result(0.01)) == (0, "same (tolerance 5 %)")
    runs = Baselines(tmp_path).load("main").runs
    assert [(one.revision, one.pattern) for one in runs] == [("abc", "constant 600/s for 64 s")] * 2


def test_a_slower_run_is_exit_1_and_not_kept(tmp_path: Path) -> None:
    """A baseline does not get used to what it should find."""
    conclude(tmp_path, result())
    assert conclude(tmp_path, result(0.3)) == (1, "slower (tolerance 5 %)")
    assert kept(tmp_path) == 1


@pytest.mark.parametrize("code", [1, 3, 130])
def test_a_run_that_failed_by_itself_is_neither_compared_nor_kept(tmp_path: Path, code: int) -> None:
    """Its own exit code stays."""
    conclude(tmp_path, result())
    assert conclude(tmp_path, result(0.3), code=code) == (code, "")
    assert kept(tmp_path) == 1


def test_a_run_whose_generator_was_the_bottleneck_is_not_kept(tmp_path: Path) -> None:
    """That is said, and is no failure of the target."""
    choked = replace(result(), verdict=Verdict(False, ("3 of 9 requests were never sent",)))
    told = "not kept as baseline 'main': the generator was the bottleneck"
    assert conclude(tmp_path, choked, compare=False) == (0, told)
    assert kept(tmp_path) == 0
