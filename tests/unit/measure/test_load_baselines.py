"""Baselines in a folder."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.property._servers import Server

from seawall.errors import ConfigError
from seawall.measure import Baselines, LoadResult, compare
from seawall.measure.load import Verdict

KEEPING = [("all", 100), ("few", 3)] * 8
NOON = datetime(2030, 1, 2, 12, tzinfo=UTC)


def result(seed: int = 1, blocks: int = 12) -> LoadResult:
    """A small valid run."""
    return Server(each=100, blocks=blocks).run(np.random.default_rng(seed))


def test_what_is_saved_is_loaded_with_its_origin(tmp_path: Path) -> None:
    """A baseline keeps the runs as they were, oldest first, and says where they come from."""
    runs = [result(1), result(2, blocks=20)]
    baselines = Baselines(tmp_path / "kept")
    saved = baselines.save("main", runs, revision="abc123", pattern="constant 100/s", now=NOON)
    assert Baselines(tmp_path / "kept").load("main") == saved
    assert [run.completed for run in saved.runs] == [1200, 2000]
    first = saved.runs[0]
    assert (first.saved, first.revision, first.pattern) == (NOON, "abc123", "constant 100/s")
    assert first.host is not None
    assert first.seawall is not None
    assert compare(saved.paths, runs) == compare(runs, runs)
    assert compare(tmp_path / "kept" / "main", runs) == compare(runs, runs)


def test_files_are_results_like_any_other(tmp_path: Path) -> None:
    """A file of a baseline has all of the run's JSON, so what reads results reads it; nothing else is left."""
    run = result()
    file = tmp_path / "run.json"
    file.write_text(run.to_json())
    path = Baselines(tmp_path / "kept").save("main", file).paths[0]
    facts = json.loads(path.read_text())
    assert facts.pop("baseline")["pattern"] is None
    assert facts == json.loads(run.to_json())
    assert list(path.parent.iterdir()) == [path]


def test_only_the_last_runs_are_kept(tmp_path: Path) -> None:
    """Saving adds to the baseline and removes the oldest; as many as are given replaces it."""
    baselines = Baselines(tmp_path)
    for blocks in range(11, 16):
        baselines.save("main", result(blocks=blocks), keep=3)
    assert [run.completed for run in baselines.load("main").runs] == [1300, 1400, 1500]
    assert baselines.prune("main", 2) == 1
    assert baselines.prune("main", 2) == 0
    replaced = baselines.save("main", [result(blocks=20), result(blocks=21)], keep=2)
    assert [run.completed for run in replaced.runs] == [2000, 2100]


def test_savers_at_the_same_time_lose_and_break_nothing(tmp_path: Path) -> None:
    """Threads that save under one name keep all their runs, or the last ones where only so many are kept."""
    run = result(blocks=2)
    with ThreadPoolExecutor(4) as pool:
        for saved in [pool.submit(Baselines(tmp_path).save, name, run, keep=keep) for name, keep in KEEPING]:
            assert saved.result().runs
    assert [(one.name, len(one.runs)) for one in Baselines(tmp_path).list()] == [("all", 8), ("few", 3)]
    assert [file.suffix for file in tmp_path.rglob("*.*") if file.suffix != ".json"] == []


def test_a_folder_of_runs_can_be_saved(tmp_path: Path) -> None:
    """As in a comparison, a folder stands for all the runs in it."""
    folder = tmp_path / "runs"
    folder.mkdir()
    for i in range(2):
        (folder / f"{i}.json").write_text(result(blocks=11 + i).to_json())
    saved = Baselines(tmp_path / "kept").save("main", folder)
    assert [run.completed for run in saved.runs] == [1100, 1200]


def test_baselines_are_listed_by_name(tmp_path: Path) -> None:
    """What is not a baseline is not listed, and does no harm."""
    baselines = Baselines(tmp_path / "kept")
    assert baselines.list() == ()
    baselines.save("main", result())
    baselines.save("a-branch", [result(), result()])
    (tmp_path / "kept" / "empty").mkdir()
    (tmp_path / "kept" / "main" / "000009-half.part").write_text("{")
    (tmp_path / "kept" / "main" / "notes.json").write_text("{}")
    assert [(one.name, len(one.runs)) for one in baselines.list()] == [("a-branch", 2), ("main", 1)]
    assert "main" in baselines
    assert "empty" not in baselines


@pytest.mark.parametrize("name", ["", "..", "../up", "/root", "a/b", ".hidden", "a" * 101, "line\n", "main\n"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    """Names that are paths or hard to type are refused before anything is written."""
    with pytest.raises(ConfigError) as caught:
        Baselines(tmp_path / "kept").save(name, result())
    assert str(caught.value) == (
        "name of a baseline must be letters, digits and . _ -, at most 100, the first a letter or a digit, "
        f"got {name!r}; for example main or release-1.2"
    )
    assert not (tmp_path / "kept").exists()


def test_what_cannot_be_compared_is_not_saved(tmp_path: Path) -> None:
    """One bad run among good ones leaves the baseline as it was, and the message says which."""
    baselines, bad = Baselines(tmp_path / "kept"), tmp_path / "bad.json"
    choked = replace(result(), verdict=Verdict(False, ("3 of 9 requests were never sent",)))
    bad.write_text(choked.to_json())
    other = tmp_path / "other.json"
    other.write_text("{}")
    reason = "the generator was the bottleneck: 3 of 9 requests were never sent"
    for runs, message in (
        ([result(), bad], f"a run of a baseline must be valid, got {str(bad)!r}: {reason}"),
        (choked, f"a run of a baseline must be valid, got a LoadResult: {reason}"),
        ([], "runs must be results or files of results, got []; give at least one"),
        (
            other,
            f"run must be a saved load test with blocks, got {str(other)!r}; "
            "write it with `seawall load --json` or LoadResult.to_json()",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            baselines.save("main", runs)  # type: ignore[arg-type]
        assert str(caught.value) == message
    with pytest.raises(ConfigError) as caught:
        baselines.save("main", result(), keep=0)
    assert str(caught.value) == "keep must be between 1 and 1,000 runs, got 0; 10 is the default"
    assert not (tmp_path / "kept").exists()


def test_a_baseline_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """The message helps to find the right name."""
    baselines = Baselines(tmp_path)
    with pytest.raises(ConfigError) as caught:
        baselines.load("main")
    assert str(caught.value) == (
        f"baseline must be one of those in {str(tmp_path)!r}, which has none, got 'main'; save it first"
    )
    baselines.save("main", result())
    with pytest.raises(ConfigError) as caught:
        baselines.load("mine")
    assert str(caught.value) == f"baseline must be one of main in {str(tmp_path)!r}, got 'mine'; save it first"
