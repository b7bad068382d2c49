"""Load tests made by several processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import load_targets as targets

from seawall.errors import ConfigError, SeawallError
from seawall.measure.load import Closed, Constant, Linear, LoadResult, LoadTest, Progress, Request, Scenario
from seawall.measure.load._course import lay_course
from seawall.measure.load.drive._split import Share
from seawall.measure.load.drive._stream import Stream


@pytest.fixture(autouse=True)
def no_process_is_left_behind() -> Any:
    """Whatever a test does, its workers are gone afterwards."""
    yield
    assert multiprocessing.active_children() == []


def adds_up(result: LoadResult) -> bool:
    """The promises between the counts, and between the counts and the histograms."""
    ended = result.completed == sum(result.outcomes.values()) == result.response_time.count
    series = sum(result.throughput.sent) == result.sent and sum(result.throughput.completed) == result.completed
    return ended and series and result.planned == result.sent + result.dropped


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_workers_make_each_planned_call_once(tmp_path: Path, workers: int) -> None:
    """However many they are, together they use each row of the feed once, and no row that is not due."""
    called = tmp_path / "called"
    test = LoadTest(
        partial(targets.append, str(called)),
        Linear(100, 500),
        duration=0.5,
        feed=list(range(1000)),
        workers=workers,
    )
    result = test.run()
    assert result.planned == result.sent == result.completed == test.plan.arrivals == 150
    assert sorted(map(int, called.read_text().split())) == list(range(150))
    assert (result.generator.processes, result.generator.lost) == (workers, 0)  # type: ignore[union-attr]
    assert result.outcomes == {"ok": 150}
    assert adds_up(result)


def test_the_same_seed_is_the_same_load_whatever_the_number_of_workers() -> None:
    """Chance deals the same arrivals to scenarios and phases; weights are kept."""
    scenarios = [Scenario("often", targets.nothing, weight=3), Scenario("seldom", targets.plain)]
    found = []
    for workers in (1, 3):
        test = LoadTest(
            scenarios,
            Constant(400),
            duration=0.4,
            warmup=0.1,
            phases={"early": 0.2},
            arrivals="poisson",
            seed=7,
            workers=workers,
        )
        result = test.run()
        assert result.planned == result.sent == result.completed
        found.append([(part.name, part.planned, part.sent) for part in (*result.scenarios, *result.phases)])
    assert found[0] == found[1]
    often, seldom = found[0][:2]
    assert often[1] == often[2] > seldom[1] == seldom[2] > 0


@pytest.mark.parametrize("arrivals", ["uniform", "poisson"])
def test_shares_are_the_whole_stream_each_time_once(arrivals: Any) -> None:
    """The due times of all workers together are those of one."""
    course = lay_course(Linear(10, 2000), duration=2, warmup=0, phases={}, interval=1, grace=0, timeout=1)

    def times(worker: int, workers: int) -> np.ndarray[Any, Any]:
        stream = Stream(course, arrivals, 3, Share(1, (1.0, 2.0), worker, workers))
        blocks = []
        while (block := stream.take(0.0)) is not None:
            blocks.append(block)
        return np.concatenate(blocks)

    together = np.sort(np.concatenate([times(worker, 3) for worker in range(3)]))
    assert together.tolist() == times(0, 1).tolist()


def test_closed_users_are_divided() -> None:
    """Three users in two workers make calls until the end, and all of them are counted as planned."""
    result = LoadTest(targets.nothing, Closed(3, think=0.01), duration=0.2, workers=2).run()
    assert result.planned == result.sent == result.completed > 3
    assert adds_up(result)


def test_states_are_made_and_left_in_each_process(tmp_path: Path) -> None:
    """A worker factory runs in the process that uses its state, and what it made is left there."""
    left = tmp_path / "left"
    test = LoadTest(
        targets.with_state,
        Constant(200),
        duration=0.2,
        workers=2,
        worker=partial(targets.state, str(left)),
        max_concurrency=2,
    )
    result = test.run()
    assert result.outcomes == {"ok": 40}
    pids = set(map(int, left.read_text().split()))
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_progress_and_checkpoints_come_from_the_shared_counts() -> None:
    """The parent sees what its workers count while they run."""
    told: list[Progress] = []
    test = LoadTest(targets.nothing, Constant(200), duration=0.6, workers=2)

    def on_progress(progress: Progress) -> None:
        told.append(progress)
        test.checkpoint("looked")

    result = test.run(on_progress)
    assert (told[-1].sent, told[-1].completed, told[-1].under_way) == (120, 120, 0)
    assert [note.name for note in result.notes] == ["looked"] * len(told)
    assert result.notes[-1].sent == 120


def test_under_way_is_what_was_started_and_has_not_ended() -> None:
    """Calls that hang show in the progress, and are cut off by the stop."""
    stop = asyncio.Event()
    seen: list[int] = []

    def on_progress(progress: Progress) -> None:
        seen.append(progress.under_way)
        if progress.under_way == 4:
            stop.set()

    async def main() -> LoadResult:
        test = LoadTest(targets.forever, Constant(100), duration=30, workers=2, max_concurrency=4)
        return await test.run_async(on_progress, stop=stop)

    result = asyncio.run(main())
    assert 4 in seen
    assert (result.sent, result.completed, result.interrupted) == (4, 0, True)
    assert adds_up(result)


async def test_a_lost_threshold_ends_all_workers() -> None:
    """The parent decides once for all of them, and the result tells which threshold it was."""
    test = LoadTest(targets.fail, Constant(200), duration=60, workers=2, abort=True, thresholds=["errors<5", "p99<1s"])
    result = await test.run_async()
    assert (result.aborted, result.interrupted) == ("errors<5", True)
    assert 5 <= result.completed < 12000
    assert adds_up(result)


async def test_a_target_that_is_not_there_ends_all_workers() -> None:
    """Twenty failures to connect, whoever saw them, are enough."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/"
    result = await LoadTest(url, Constant(100), duration=60, workers=2).run_async()
    assert result.unreachable
    assert 20 <= result.completed < 6000
    assert adds_up(result)


async def test_a_stop_before_the_start_gives_an_empty_result() -> None:
    """Nothing was due and nothing was sent."""
    stop = asyncio.Event()
    stop.set()
    result = await LoadTest(targets.nothing, Constant(100), duration=60, workers=2).run_async(stop=stop)
    assert (result.planned, result.sent, result.interrupted) == (0, 0, True)


async def test_cancelling_ends_the_workers() -> None:
    """As for any coroutine; the fixture sees that nobody is left."""
    begun = asyncio.Event()
    test = LoadTest(targets.nothing, Constant(100), duration=60, workers=2)
    task = asyncio.create_task(test.run_async(lambda progress: begun.set() if progress.sent else None))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# --- errors -----------------------------------------------------------------------------------------------------------


async def test_an_error_of_a_worker_ends_the_run_with_it() -> None:
    """It is the error of the worker, and its note has the traceback from there."""
    test = LoadTest(targets.with_state, Constant(100), duration=60, workers=2, worker=targets.broken_state)
    with pytest.raises(LookupError) as raised:
        await test.run_async()
    assert str(raised.value) == "no such state"
    (note,) = raised.value.__notes__
    assert note.startswith("raised in worker process ")
    assert 'raise LookupError("no such state")' in note


async def test_a_target_that_workers_cannot_import_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module was there when the test was made, and is not when they look for it."""
    module = tmp_path / "soon_gone.py"
    module.write_text("async def call():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import soon_gone  # type: ignore[import-not-found]

    module.unlink()
    test = LoadTest(soon_gone.call, Constant(100), duration=60, workers=2)
    with pytest.raises(ModuleNotFoundError) as raised:
        await test.run_async()
    assert str(raised.value) == "No module named 'soon_gone'"
    assert "raised in worker process" in raised.value.__notes__[0]


async def test_a_worker_that_dies_before_the_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that ends the process when it is imported."""
    (tmp_path / "deadly.py").write_text(
        "import multiprocessing, os\n"
        "if multiprocessing.parent_process() is not None:\n    os._exit(9)\n"
        "async def call():\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import deadly  # type: ignore[import-not-found]

    test = LoadTest(deadly.call, Constant(100), duration=60, workers=2)
    with pytest.raises(SeawallError) as raised:
        await test.run_async()
    assert str(raised.value) in [
        f"worker process {i} of 2 ended with exit code 9 before it was ready; its own words are above" for i in (1, 2)
    ]


def local() -> Callable[[], Any]:
    """A function that no other process can find."""

    async def inner() -> None:
        pass

    return inner


async def test_what_cannot_go_to_other_processes_is_refused() -> None:
    """Before any process is started, with the way out."""
    test = LoadTest(local(), Constant(1), duration=1, workers=2)
    with pytest.raises(ConfigError) as raised:
        await test.run_async()
    assert str(raised.value) == (
        "target must be something that can be pickled where workers is 2, got local.<locals>.inner(); "
        "use a function at the top level of a module"
    )


def test_a_daemonic_process_can_have_no_workers() -> None:
    """It may start no processes of its own."""
    context = multiprocessing.get_context("spawn")
    answers: Any = context.SimpleQueue()
    process = context.Process(target=targets.run_with_workers, args=(answers,), daemon=True)
    process.start()
    assert answers.get() == "workers must be 1 in a daemonic process, which may start no others, got 2"
    process.join()


async def test_rows_that_cannot_be_pickled_are_refused() -> None:
    """A feed travels by value."""
    test = LoadTest(partial(targets.append, "/"), Constant(1), duration=1, workers=2, feed=[iter(()), local()])
    with pytest.raises(
        ConfigError, match=r"^feed must have rows that can be pickled where workers is 2: .*; use plain"
    ):
        await test.run_async()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers must be between 1 and 64 processes, got 0; 1, this process, is the default"),
        ({"workers": 65}, "workers must be between 1 and 64 processes, got 65; 1, this process, is the default"),
        (
            {"workers": 3, "max_concurrency": 2},
            "workers must be at most max_concurrency, here 2, got 3; raise max_concurrency or lower workers",
        ),
    ],
)
def test_what_workers_cannot_do_is_refused(options: dict[str, Any], message: str) -> None:
    """When the test is made."""
    with pytest.raises(ConfigError) as raised:
        LoadTest(targets.nothing, Constant(1), duration=1, **options)
    assert str(raised.value) == message


def test_more_workers_than_users_are_refused() -> None:
    """Each needs a user to play."""
    with pytest.raises(ConfigError) as raised:
        LoadTest(targets.nothing, Closed(2), duration=1, workers=3)
    assert str(raised.value) == (
        "workers must be at most the number of users, here 2, got 3; raise the number of users or lower workers"
    )


def test_each_process_needs_open_files_for_its_share_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much for one process can be done by four."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1000, 1000))
    one = LoadTest(Request("http://127.0.0.1:9/"), Constant(1), duration=1, max_concurrency=2000)
    four = LoadTest(Request("http://127.0.0.1:9/"), Constant(1), duration=1, max_concurrency=2000, workers=4)
    with pytest.raises(ConfigError, match=r"^max_concurrency 2,000 needs 2,064 open files"):
        one.settings.check_files()
    four.settings.check_files()
