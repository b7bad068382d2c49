"""A shutdown in threads and tasks: work, starts, blocks and waiting."""

from __future__ import annotations

import asyncio
import pickle
import signal
import threading
from typing import Any

import pytest

from seawall.clock import Deadline, ManualClock
from seawall.errors import ConfigError, ShuttingDown, problem
from seawall.monitor.health import Health
from seawall.monitor.shutdown import Closed, CutOff, Phase, Shutdown, ShutdownReport


def hushed(**options: Any) -> Shutdown:
    """A shutdown that waits for nobody."""
    return Shutdown(clock=ManualClock(autojump=True), **{"delay": 0, **options})


def test_in_a_thread_it_goes_the_same_way() -> None:
    """Coroutine functions too: each in a loop of its own."""
    log: list[str] = []
    shutdown = Shutdown(delay=0)
    shutdown.on_stop("socket", lambda: log.append("socket"))

    @lambda fn: shutdown.on_close("pool", fn)
    async def close_pool() -> None:
        log.append("pool")

    shutdown.on_close("cache", lambda: log.append("cache"))
    report = shutdown.finish()
    assert log == ["socket", "cache", "pool"]
    assert [each.outcome for each in (*report.stopped, *report.closed)] == ["closed"] * 3
    assert (report.reason, report.clean, report.exit_code, shutdown.phase) == ("asked for", True, 0, Phase.DONE)


def test_a_closer_that_blocks_is_left_behind() -> None:
    """In a thread and in a task, which both go on."""
    for how in ("thread", "task"):
        free = threading.Event()
        shutdown = hushed()
        shutdown.on_close("blocks", lambda free=free: free.wait(60), within=2)  # type: ignore[misc]
        report = shutdown.finish() if how == "thread" else asyncio.run(shutdown.finish_async())
        free.set()
        assert report.closed == (Closed("blocks", "timed out", 2.0),)
        assert report.exit_code == 1


def test_a_closer_knows_its_time() -> None:
    """A Deadline is in force in it, which engines and guards below honour."""
    seen: list[float | None] = []

    def look() -> None:
        deadline = Deadline.current()
        seen.append(deadline.remaining() if deadline else None)

    shutdown = Shutdown(delay=0, clock=ManualClock())
    shutdown.on_close("pool", look, within=3)
    shutdown.finish()
    assert seen == [3.0]


async def test_what_belongs_to_the_loop_is_called_in_it() -> None:
    """A function that stops always, one that closes where it says so."""
    loop, here = asyncio.get_running_loop(), []

    def look() -> None:
        try:
            here.append(asyncio.get_running_loop() is loop)
        except RuntimeError:
            here.append(False)

    shutdown = Shutdown(delay=0)
    shutdown.on_stop("stop", look)
    shutdown.on_stop("stop in a thread", look, in_thread=True)
    shutdown.on_close("close in the loop", look, in_thread=False)
    shutdown.on_close("close", look)
    await shutdown.finish_async()
    assert here == [True, False, False, True]


def test_work_in_a_thread_is_waited_for_and_then_told() -> None:
    """It cannot be cancelled, so it looks."""
    clock, entered, leave = ManualClock(autojump=True), threading.Event(), threading.Event()
    shutdown = Shutdown(clock=clock, delay=0, drain=3, unwind=1)
    told: list[bool] = []

    def job() -> None:
        with shutdown.work("job") as work:
            told.append(work.cut)
            entered.set()
            leave.wait(60)
            told.append(work.cut)

    thread = threading.Thread(target=job)
    thread.start()
    entered.wait(60)
    assert shutdown.in_flight == 1
    report = shutdown.finish()
    leave.set()
    thread.join(60)
    assert (report.cut, told) == ((CutOff("job", 4.0, False),), [False, True])


def test_the_last_work_to_leave_ends_the_waiting() -> None:
    """No earlier, and no later."""
    shutdown, entered, leave = Shutdown(delay=0, clock=ManualClock()), threading.Event(), threading.Event()
    shutdown.changed.connect(lambda event: leave.set() if event.phase is Phase.STOPPING else None)

    def job() -> None:
        with shutdown.work():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=job)
    thread.start()
    entered.wait(60)
    report = shutdown.finish()
    thread.join(60)
    assert (report.clean, report.cut) == (True, ())


def test_no_work_is_taken_once_it_stops() -> None:
    """The refusal says so, and travels."""
    shutdown = hushed()
    shutdown.finish()
    with pytest.raises(ShuttingDown) as refused, shutdown.work("job 7"):
        pytest.fail("entered")
    assert str(refused.value) == "job 7: the service shuts down and takes no more"
    assert (refused.value.policy, refused.value.state) == ("shutdown", "stopping")
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
    assert problem(refused.value)["status"] == 503


async def test_a_task_that_has_left_its_work_is_not_cancelled() -> None:
    """However late it hears of it."""
    shutdown = hushed()
    work = shutdown.work()
    async with work:
        work.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


def test_who_finishes_second_waits_for_the_first() -> None:
    """And gets the same report; closers run once."""
    entered, leave, runs = threading.Event(), threading.Event(), []

    def close() -> None:
        runs.append(1)
        entered.set()
        leave.wait(60)

    shutdown = Shutdown(delay=0, clock=ManualClock())
    shutdown.on_close("pool", close, within=20)
    reports: list[ShutdownReport] = []
    threads = [threading.Thread(target=lambda: reports.append(shutdown.finish())) for _ in range(3)]
    for thread in threads:
        thread.start()
    entered.wait(60)
    leave.set()
    for thread in threads:
        thread.join(60)
    assert (runs, reports) == ([1], [reports[0]] * 3)


def test_the_first_reason_counts() -> None:
    """Whoever asks later is told that somebody has."""
    shutdown = hushed()
    assert shutdown.begin("the disk is full")
    assert not shutdown.begin("me too")
    assert shutdown.finish().reason == "the disk is full"


def test_health_is_told_at_once() -> None:
    """Also before anybody finishes."""
    health = Health()
    shutdown = Shutdown(health, clock=ManualClock())
    assert health.ask().ok
    shutdown.begin("SIGTERM")
    assert health.ask().notes == ("draining: shutting down, SIGTERM",)


def test_waiting_ends_when_somebody_asks_or_time_is_up() -> None:
    """Which of them, it tells."""
    shutdown = hushed()
    assert not shutdown.wait(3)
    assert not asyncio.run(shutdown.wait_async(3))
    waiter = threading.Thread(target=shutdown.wait)
    waiter.start()
    shutdown.begin()
    waiter.join(60)
    assert not waiter.is_alive()
    assert shutdown.wait()
    assert asyncio.run(shutdown.wait_async())


async def test_a_start_is_cut_short() -> None:
    """What is started in the block is cancelled, and no load balancer is waited for."""
    shutdown, log = Shutdown(clock=ManualClock()), []

    async def start() -> None:
        async with shutdown.startup():
            asyncio.get_running_loop().call_soon(shutdown.begin, "SIGTERM")
            try:
                await asyncio.Event().wait()
            finally:
                log.append("cleaned up")

    with pytest.raises(ShuttingDown, match=r"^the service shuts down \(SIGTERM\)$"):
        await start()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
    assert (log, (await shutdown.finish_async()).delayed) == (["cleaned up"], 0.0)


async def test_somebody_elses_cancellation_of_a_start_is_passed_on() -> None:
    """Also when the shutdown begins at the same time."""
    for begins in (False, True):
        shutdown, entered = hushed(), asyncio.Event()

        async def start(shutdown: Shutdown = shutdown, entered: asyncio.Event = entered) -> None:
            async with shutdown.startup():
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(start())
        await entered.wait()
        task.cancel()
        if begins:
            shutdown.begin()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_start_that_ends_in_time_leaves_nothing() -> None:
    """No task that would cancel something later."""
    shutdown = hushed()
    async with shutdown.startup():
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
    shutdown.begin()
    await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


def test_between_steps_of_a_start_one_asks() -> None:
    """In a block the refusal ends it in order: the closers there are run, and nothing is raised."""
    closed: list[str] = []
    with Shutdown() as shutdown:
        shutdown.on_close("pool", lambda: closed.append("pool"))
        shutdown.check()
        shutdown.begin("SIGTERM", delay=False)
        shutdown.check()
        pytest.fail("went on")
    assert closed == ["pool"]


async def test_an_error_in_a_block_closes_and_is_passed_on() -> None:
    """For threads and tasks; the handlers are those from before."""
    before = signal.getsignal(signal.SIGTERM)
    for how in ("with", "async with"):
        shutdown, closed = Shutdown(), []
        with pytest.raises(KeyError):  # noqa: PT012
            shutdown.on_close("pool", lambda closed=closed: closed.append("pool"))  # type: ignore[misc]
            if how == "with":
                with shutdown:
                    raise KeyError
            async with shutdown:
                raise KeyError
        assert shutdown.report is not None
        assert (closed, shutdown.report.reason) == (["pool"], "left by KeyError")
    assert signal.getsignal(signal.SIGTERM) is before


def test_signal_handlers_need_the_main_thread() -> None:
    """Elsewhere it says what to do."""
    errors: list[str] = []

    def install() -> None:
        try:
            Shutdown().install()
        except ConfigError as refused:
            errors.append(str(refused))

    thread = threading.Thread(target=install)
    thread.start()
    thread.join(60)
    assert errors == ["signal handlers can be installed in the main thread only; elsewhere call begin()"]


def test_nothing_is_added_when_closers_run() -> None:
    """It would not be called."""
    shutdown = hushed()
    shutdown.finish()
    with pytest.raises(ConfigError) as refused:
        shutdown.on_close("late", print)
    assert str(refused.value) == "'late' is added when closers run already, and would not be called; add it before"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"within": 20},
            "delay + drain + unwind must be less than within, got 21 s and 20 s; the rest is for closers",
        ),
        (
            {"delay": -1},
            "delay must be 0 to 600 s, got -1; requests are still taken while load balancers learn of it",
        ),
    ],
)
def test_times_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    """What is waited for must leave time to close."""
    with pytest.raises(ConfigError) as refused:
        Shutdown(**options)
    assert str(refused.value) == message


def test_what_cannot_be_called_is_refused() -> None:
    """Where it is added."""
    with pytest.raises(ConfigError, match=r"^'pool' must be a function without arguments, got str$"):
        Shutdown().on_close("pool", "pool.close")  # type: ignore[type-var]
