"""One check, asked by many."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest

from seawall.clock import Deadline, ManualClock
from seawall.errors import ConfigError
from seawall.monitor.health import CheckChanged, CheckReport, Health, Outcome, Status


class Counted:
    """A check that counts its runs and answers as told."""

    def __init__(self, answer: Any = None) -> None:
        self.runs = 0
        self.answer = answer

    def __call__(self) -> Any:
        self.runs += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Hanging:
    """A function that blocks until it is freed."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self) -> None:
        self.entered.release()
        self.free.wait(60)


def only(health: Health, probe: str = "ready") -> CheckReport:
    """The report of the only check, after it was asked."""
    (report,) = health.ask(probe).checks
    return report


def of(fn: Any, clock: ManualClock | None = None, **options: Any) -> Health:
    """A health with one check."""
    health = Health(clock=clock or ManualClock())
    health.add("it", fn, **options)
    return health


@pytest.mark.parametrize(
    ("answer", "status", "output"),
    [
        (None, Status.PASS, ""),
        (True, Status.PASS, ""),
        (False, Status.FAIL, "the check returned False"),
        (Outcome.warned("slow", value=3, unit="s"), Status.WARN, "slow"),
        (ValueError("no"), Status.FAIL, "ValueError: no"),
        (ValueError(), Status.FAIL, "ValueError"),
        (SystemExit(3), Status.FAIL, "SystemExit: 3"),
        ("fine", Status.FAIL, "the check must return None, True, False or an Outcome, or raise an error; got str"),
        (1, Status.FAIL, "the check must return None, True, False or an Outcome, or raise an error; got int"),
    ],
)
async def test_what_an_answer_means(answer: Any, status: Status, output: str) -> None:
    """The same for a function, a coroutine function, and a function that returns a coroutine."""

    async def asynchronous() -> Any:
        return Counted(answer)()

    for fn in (Counted(answer), asynchronous, lambda: [asynchronous()][0]):
        health = of(fn)
        (report,) = (await health.ask_async()).checks
        assert (report.found, report.output) == (status, output)
        report = await asyncio.to_thread(only, of(fn))
        assert (report.found, report.output) == (status, output)


def test_an_answer_is_good_for_its_ttl() -> None:
    """Then the next one who asks has it run again."""
    clock, fn = ManualClock(), Counted()
    health = of(fn, clock, ttl=5)
    for seconds, runs in ((0, 1), (4.9, 1), (0.2, 2)):
        clock.advance(seconds)
        health.ask()
        assert fn.runs == runs
    assert only(health).age == 0.0


def test_without_ttl_everybody_has_it_run() -> None:
    """But for those who come while it runs."""
    fn = Counted()
    health = of(fn, ttl=0)
    health.ask()
    health.ask()
    assert fn.runs == 2


def test_who_comes_while_it_runs_waits_for_the_same_run() -> None:
    """One run, one answer, for threads and tasks together."""
    fn = Hanging()
    health = of(fn, timeout=60)
    answers: list[Status] = []
    askers = [threading.Thread(target=lambda: answers.append(health.ask().status)) for _ in range(4)]
    askers += [threading.Thread(target=lambda: answers.append(asyncio.run(health.ask_async()).status)) for _ in "ab"]
    for asker in askers:
        asker.start()
    assert fn.entered.acquire(timeout=30)
    fn.free.set()
    for asker in askers:
        asker.join(30)
    assert answers == [Status.PASS] * 6
    assert not fn.entered.acquire(blocking=False)


def test_a_stale_answer_is_given_while_a_new_run_is_under_way() -> None:
    """Nobody waits, and the new answer is there for the next."""
    clock, fn = ManualClock(), Hanging()
    fn.free.set()
    health = of(fn, clock, ttl=1, stale=10, timeout=30)
    assert only(health).status is Status.PASS
    fn.free.clear()
    clock.advance(2)
    for _ in range(3):
        assert only(health).age == 2.0
    fn.entered.acquire()
    assert fn.entered.acquire(timeout=30)
    clock.advance(9)
    asker = threading.Thread(target=health.ask)  # older than stale allows: this one waits
    asker.start()
    fn.free.set()
    asker.join(30)
    assert only(health).age == 0.0
    assert not fn.entered.acquire(blocking=False)


def test_a_function_that_hangs_keeps_nobody() -> None:
    """Its asker has an answer when its time is up."""
    clock, fn = ManualClock(autojump=True), Hanging()
    health = of(fn, clock, timeout=0.5)
    report = only(health)
    assert (report.status, report.output) == (Status.FAIL, "no answer within 0.5 s")
    assert (report.took, report.stuck, clock.time()) == (0.5, 1, 0.5)
    fn.free.set()


def test_threads_that_hang_are_bounded_and_the_check_says_so() -> None:
    """No more are started than may hang; when one ends, it is asked again."""
    clock, fn = ManualClock(autojump=True), Hanging()
    health = of(fn, clock, timeout=0.5, ttl=1, max_stuck=2)
    said = []
    for _ in range(5):
        said.append((only(health).output, only(health).stuck))
        clock.advance(1)
    assert said == [
        ("no answer within 0.5 s", 1),
        ("no answer within 0.5 s; 2 runs hang", 2),
        ("2 runs hang, the longest since 3.0 s; it is asked again when one ends", 2),
        ("2 runs hang, the longest since 4.0 s; it is asked again when one ends", 2),
        ("2 runs hang, the longest since 5.0 s; it is asked again when one ends", 2),
    ]
    names = [thread for thread in threading.enumerate() if thread.name == "seawall-check-it"]
    assert len(names) == 2
    assert all(thread.daemon for thread in names)
    fn.free.set()
    for thread in names:
        thread.join(30)
    clock.autojump = False
    clock.advance(1)
    report = only(health)
    assert (report.status, report.stuck) == (Status.PASS, 0)


def test_a_run_that_ends_after_it_was_given_up_says_nothing() -> None:
    """What it found was found too late."""
    clock, fn = ManualClock(autojump=True), Hanging()
    health = of(fn, clock, timeout=0.5, ttl=100)
    health.ask()
    fn.free.set()
    for thread in threading.enumerate():
        if thread.name == "seawall-check-it":
            thread.join(30)
    report = only(health)
    assert (report.status, report.stuck) == (Status.FAIL, 0)


async def test_a_coroutine_that_hangs_is_cancelled() -> None:
    """And so it is not stuck."""
    clock, cancelled = ManualClock(autojump=True), asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    health = of(hang, clock, timeout=0.5)
    (report,) = (await health.ask_async()).checks
    assert (report.status, report.output) == (Status.FAIL, "no answer within 0.5 s")
    await cancelled.wait()
    await asyncio.sleep(0)
    assert health.known().checks[0].stuck == 0


def test_a_coroutine_asked_from_a_thread_is_cancelled_too() -> None:
    """It runs in a loop of its own, which ends with it."""
    clock, entered, cancelled = ManualClock(), threading.Event(), threading.Event()

    async def hang() -> None:
        try:
            entered.set()
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    health = of(hang, clock, timeout=0.5)
    asker = threading.Thread(target=health.ask)
    asker.start()
    assert entered.wait(30)
    clock.advance(1)
    asker.join(30)
    assert cancelled.wait(30)
    assert health.known().checks[0].output == "no answer within 0.5 s"


def test_a_coroutine_that_will_not_be_cancelled_is_stuck() -> None:
    """It counts like a thread that hangs."""
    clock = ManualClock(autojump=True)

    async def main() -> int:
        free = asyncio.Event()

        async def stubborn() -> None:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue

        health = of(stubborn, clock, timeout=0.5)
        await health.ask_async()
        for _ in range(5):
            await asyncio.sleep(0)
        stuck = health.known().checks[0].stuck
        free.set()
        return stuck

    assert asyncio.run(main()) == 1


async def test_who_asked_may_go_away() -> None:
    """The run goes on for the others."""
    free = asyncio.Event()
    health = of(free.wait, timeout=30)
    first = asyncio.create_task(health.ask_async())
    second = asyncio.create_task(health.ask_async())
    await asyncio.sleep(0)
    first.cancel()
    free.set()
    assert (await second).status is Status.PASS


def test_a_run_whose_loop_was_closed_has_failed() -> None:
    """The next one who asks is told, and has it run again when that is due."""
    health = of(asyncio.Event().wait, timeout=30)

    async def leave() -> None:
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)  # type: ignore[union-attr]
        await health.ask_async()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(leave())
    assert health.known().checks[0].output == "cancelled, as its event loop was closed"


def test_a_run_knows_its_time_and_nothing_of_who_asked() -> None:
    """A Deadline of its own is in force in it, not that of a request."""
    clock, seen = ManualClock(), []

    def look() -> None:
        deadline = Deadline.current()
        seen.append(deadline.remaining() if deadline else None)

    async def look_async() -> None:
        look()

    with Deadline(0.01, clock=clock):
        of(look, clock, timeout=0.5).ask()
        asyncio.run(of(look_async, clock, timeout=0.5).ask_async())
    assert seen == [0.5, 0.5]


def test_whoever_listens_hears_of_changes_only() -> None:
    """One event for each change of the status."""
    clock, fn, heard = ManualClock(), Counted(), []
    health = of(fn, clock)
    health.changed.connect(heard.append)
    for answer in (None, None, False, False, None):
        fn.answer = answer
        clock.advance(2)
        health.ask()
    assert heard == [
        CheckChanged("it", None, Status.PASS, ""),
        CheckChanged("it", Status.PASS, Status.FAIL, "the check returned False"),
        CheckChanged("it", Status.FAIL, Status.PASS, ""),
    ]


def test_what_is_forgotten_is_asked_again() -> None:
    """Whatever its age."""
    fn = Counted()
    health = of(fn, ttl=3600)
    health.ask()
    health.checks[0].forget()
    health.ask()
    assert fn.runs == 2


# ruff: noqa: E501 - messages stand on one line each
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout must be 0.01 to 60 s, got 0; time for one run; a kubelet waits 1 s unless told otherwise"),
        ({"probe": "alive"}, "probe must be one of 'live', 'ready', 'startup', got 'alive'; which probe it decides"),
        ({"failures": 0}, "failures must be 1 to 100, got 0; bad answers in a row that make it fail"),
        ({"max_stuck": 0}, "max_stuck must be 1 to 100, got 0; runs that may hang before no more are started"),
    ],
)  # fmt: skip
def test_options_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    """With the value, the range and the meaning."""
    with pytest.raises(ConfigError) as refused:
        of(Counted(), **options)
    assert str(refused.value) == message


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_a_fork_does_not_wait_for_runs_of_its_parent() -> None:
    """Neither for one under way nor for those that hang: their threads are not there."""
    clock, fn = ManualClock(), Hanging()
    health = of(fn, clock, ttl=0, timeout=30, max_stuck=1)
    asker = threading.Thread(target=health.ask)
    asker.start()
    assert fn.entered.acquire(timeout=30)
    child = os.fork()
    if child == 0:
        good = False
        try:
            health.checks[0]._fn = bool
            (report,) = health.ask().checks
            good = report.stuck == 0 and report.output == "the check returned False"
        finally:
            os._exit(0 if good else 1)
    fn.free.set()
    asker.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
