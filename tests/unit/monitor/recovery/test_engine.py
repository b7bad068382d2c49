"""The engine with real threads, loops, files and processes."""

from __future__ import annotations

import asyncio
import fcntl
import json
import multiprocessing
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.monitor.anomaly import Bounds, Watch
from seawall.monitor.recovery import (
    Action,
    AuditTrail,
    Budget,
    Condition,
    Flag,
    Recovery,
    RecoveryEvent,
    Replaceable,
    Rule,
    above,
    anomalous,
    below,
    collect_garbage,
    dump_stacks,
    open_breaker,
    rebuild,
    restart,
    restart_worker,
    shed,
)

YES = Condition("always", lambda _readings, _held: True)


def until(recovery: Recovery, kind: str, clock: ManualClock | None = None) -> RecoveryEvent:
    """Evaluate until an event of a kind is told."""
    for _ in range(20_000):
        for event in recovery.evaluate():
            if event.kind == kind:
                return event
        threading.Event().wait(0.001)
    raise AssertionError(f"{kind} was never told: {recovery.stats()}")


class Pool:
    """Connections to a database, of which one is lent at a time."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(path, check_same_thread=False)

    def ask(self) -> int:
        """A query."""
        with self.lock:
            return int(self.connection.execute("select 1").fetchone()[0])

    def close(self) -> None:
        """End it."""
        self.connection.close()


def test_a_real_pool_that_breaks_is_rebuilt(tmp_path: Path) -> None:
    """Calls fail on a closed connection; the share of failures starts the rebuilding, after which they succeed."""
    pool = Replaceable(lambda: Pool(tmp_path / "data"), close=Pool.close)
    recent: list[bool] = []

    def call() -> None:
        try:
            recent.append(pool.get().ask() == 1)
        except sqlite3.ProgrammingError:
            recent.append(False)
        del recent[:-20]

    def failing() -> float:
        call()
        return recent.count(False) / len(recent)

    recovery = Recovery(
        [Rule("database", above("failing", 0.5, clear=0.1), [rebuild(pool, settle=60)])], readings={"failing": failing}
    )
    for _ in range(20):
        assert recovery.evaluate() == ()
    pool.get().close()
    assert until(recovery, "recovered").action == "rebuild the pool"
    assert (pool.built, pool.get().ask()) == (2, 1)
    pool.get().close()


def test_a_pool_that_cannot_be_built_stays_as_it_was() -> None:
    """The old one is neither closed nor replaced."""
    made: list[str] = []

    def build() -> str:
        if made:
            raise ConnectionError("refused")
        made.append("first")
        return "first"

    pool = Replaceable(build, close=made.remove)
    with pytest.raises(ConnectionError):
        pool.rebuild()
    assert (pool.get(), pool.built, made) == ("first", 1, ["first"])


def test_a_hanging_action_keeps_no_evaluation_waiting_and_the_next_one_runs() -> None:
    """It is told as hanging, passed over, and told again when it ends."""
    clock, leave, helped = ManualClock(1), threading.Event(), threading.Event()
    recovery = Recovery(
        [Rule("stuck", YES, [Action("hang", leave.wait, timeout=5), Action("help", helped.set)])], clock=clock
    )
    assert [event.kind for event in recovery.evaluate()] == ["began", "started"]
    clock.advance(5)
    assert [(event.kind, event.action) for event in recovery.evaluate()] == [("hung", "hang"), ("started", "help")]
    assert until(recovery, "done").action == "help"
    assert helped.is_set()
    assert recovery.stats().hanging == ("hang",)
    leave.set()
    assert until(recovery, "ended_late").detail == "True"


def test_an_action_that_raises_is_told_and_the_engine_goes_on() -> None:
    """Whatever it raises, SystemExit too."""

    def fail() -> None:
        raise SystemExit("enough")

    recovery = Recovery([Rule("r", YES, [Action("fail", fail), Action("next", lambda: "fine")])])
    assert until(recovery, "failed").detail == "SystemExit: enough"
    assert until(recovery, "done").detail == "fine"


async def test_a_coroutine_action_runs_in_the_loop_of_the_engine_and_is_cancelled_when_it_hangs() -> None:
    """It sees the running loop; a hanging one ends by cancellation."""
    loops: list[object] = []
    cancelled, late = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        loops.append(asyncio.get_running_loop())

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    told: list[RecoveryEvent] = []
    ladder = [Action("look", look, settle=0), Action("hang", hang, timeout=0.05)]
    recovery = Recovery([Rule("r", YES, ladder)], every=0.01)
    recovery.told.connect(told.append)
    recovery.told.connect(lambda event: late.set() if event.kind == "ended_late" else None)
    task = asyncio.create_task(recovery.run_async())
    await asyncio.wait_for(cancelled.wait(), 30)
    await asyncio.wait_for(late.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert loops == [asyncio.get_running_loop()]
    assert ("hung", "hang") in [(event.kind, event.action) for event in told]


def test_an_engine_runs_in_a_thread_until_it_is_stopped() -> None:
    """A flag that is raised elsewhere starts the action; a second start is refused."""
    flag, done = Flag("alert"), threading.Event()
    with Recovery([Rule("alert", flag, [Action("act", done.set)])], every=0.01) as recovery:
        with pytest.raises(ConfigError, match="it runs already"):
            recovery.start()
        flag.set()
        assert done.wait(30)
    before = recovery.stats().evaluations
    assert recovery.stats().evaluations == before


def test_what_is_shed_and_opened_is_taken_back() -> None:
    """A limit and a breaker under trouble, and afterwards."""
    limit, breaker, flag = sw.TokenBucket(100), sw.CircuitBreaker("db"), Flag("trouble")
    ladder = [shed(limit, to={"rate": 5}, back={"rate": 100}, settle=0), open_breaker(breaker)]
    recovery = Recovery([Rule("trouble", flag, ladder)])
    flag.set()
    until(recovery, "done")
    assert limit.check().limit == 5
    assert until(recovery, "done").action == "open breaker db"
    assert breaker.state == "forced_open"
    flag.set(False)
    until(recovery, "recovered")
    for _ in range(20_000):
        recovery.evaluate()
        if recovery.stats().rules["trouble"].counts.get("undone") == 2:
            break
        threading.Event().wait(0.001)
    assert (limit.check().limit, breaker.state) == (100, "closed")


def test_an_anomaly_that_a_watch_follows_is_a_condition() -> None:
    """`before` looks; the condition holds while the anomaly is on."""
    depth = 3.0
    watch = Watch({"queue": lambda: depth}, {"queue": Bounds(high=50)}, clear_after=1)
    recovery = Recovery([Rule("queue", anomalous(watch, "queue"), [Action("act", lambda: None)])], before=watch.look)
    assert recovery.evaluate() == ()
    depth = 99.0
    assert [event.kind for event in recovery.evaluate()] == ["began", "started"]
    depth = 3.0
    assert until(recovery, "recovered").rule == "queue"


def test_components_are_restarted_however_they_are_made() -> None:
    """restart(), stop() and start(), coroutine functions."""
    log: list[str] = []

    class Plain:
        def restart(self) -> None:
            log.append("restart")

    class Steps:
        async def stop(self) -> None:
            log.append("stop")

        async def start(self) -> None:
            log.append("start")

    for component in (Plain(), Steps()):
        until(Recovery([Rule("r", YES, [restart(component)])]), "done")
    assert log == ["restart", "stop", "start"]
    with pytest.raises(ConfigError, match=r"^a component must have restart\(\), or stop\(\) and start\(\), got 3$"):
        restart(3)


def test_stacks_are_dumped_into_few_files(tmp_path: Path) -> None:
    """The detail is the path; old files go; only the user reads them."""
    stamps = iter(range(10))
    for _ in range(4):
        action = dump_stacks(tmp_path / "stacks", keep=2, wall=lambda: float(next(stamps)))
        path = Path(until(Recovery([Rule("r", YES, [action])]), "done").detail)
    assert len(list(path.parent.iterdir())) == 2
    assert "Thread MainThread" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_garbage_is_collected() -> None:
    """The detail says how much there was."""
    assert until(Recovery([Rule("r", YES, [collect_garbage()])]), "done").detail.endswith(" unreachable objects")


# -- conditions and names ---------------------------------------------------------------------------------------------


def test_a_condition_that_raises_is_told_once_and_others_go_on() -> None:
    """It counts as unknown, upon which nothing is done."""
    broken = Condition("broken", lambda readings, _held: readings["nothing"] > 1)  # type: ignore[operator]
    recovery = Recovery(
        [Rule("broken", broken, [Action("a", lambda: None)]), Rule("r", YES, [Action("b", lambda: None)])]
    )
    first = recovery.evaluate()
    assert [(event.rule, event.kind) for event in first] == [("broken", "unknown"), ("r", "began"), ("r", "started")]
    assert first[0].detail == "TypeError: '>' not supported between instances of 'NoneType' and 'int'"
    assert [event for event in recovery.evaluate() if event.rule == "broken"] == []


def test_a_reading_that_raises_is_unknown_and_counted() -> None:
    """The rule stays calm."""

    def fail() -> float:
        raise OSError("gone")

    recovery = Recovery([Rule("r", below("x", 1), [Action("a", lambda: None)])], readings={"x": fail})
    assert recovery.evaluate() == ()
    assert recovery.stats().reading_failures == 1
    assert recovery.stats().rules["r"].phase == "calm"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Recovery([]), "rules must be at least one, each with a name of its own, got none"),
        (
            lambda: Recovery([Rule("r", YES, [Action("a", print)]), Rule("s", YES, [Action("a", print)])]),
            "two actions are called 'a'; give each a name of its own, or both rules the same Action",
        ),
        (lambda: Rule("r", YES, []), "ladder of rule 'r' must be Actions, at least one, got ()"),
        (lambda: Action("", print), "name of an action must be text, got ''; the audit trail calls it so"),
        (
            lambda: Action("a", print, timeout=0),
            "timeout must be above 0 to 2678400 s, got 0; after it an action that has not ended is told as hanging",
        ),
        (lambda: above("x", 1, clear=2), "clear of x must be at most the limit of 1, got 2"),
        (lambda: below("x", 1, clear=0), "clear of x must be at least the limit of 1, got 0"),
        (
            lambda: restart_worker("exit", exit_code=0),
            "exit_code must be 1 to 255, got 0; with 0 a manager takes the end for wanted",
        ),
        (lambda: restart_worker("kill"), "way must be 'term', 'hup_parent' or 'exit', got 'kill'"),
    ],
)
def test_what_can_never_work_is_refused(make: Callable[[], object], message: str) -> None:
    """With the option, the value and the way out."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


# -- the audit trail --------------------------------------------------------------------------------------------------


def event(number: int) -> RecoveryEvent:
    """One of many."""
    return RecoveryEvent(float(number), "r", "done", "a", f"{number}" * 50, {"x": 1.0})


def test_every_event_is_in_the_audit_trail(tmp_path: Path) -> None:
    """As JSON lines with the time, the process and the readings."""
    clock = ManualClock(1)
    recovery = Recovery(
        [Rule("r", above("x", 1), [Action("a", lambda: "fine")])],
        readings={"x": lambda: 2.0}, audit=str(tmp_path / "audit.jsonl"), clock=clock, wall=lambda: 86_400.5,
    )  # fmt: skip
    until(recovery, "done")
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["began", "started", "done"]
    assert {**lines[-1], "pid": 0} == {
        "time": "1970-01-02T00:00:00.500+00:00", "pid": 0, "at": 86_400.5, "rule": "r", "kind": "done", "action": "a",
        "detail": "fine", "readings": {"x": 2.0},
    }  # fmt: skip


def test_an_audit_trail_is_bounded(tmp_path: Path) -> None:
    """Full files are put aside, and the oldest go."""
    trail = AuditTrail(tmp_path / "audit.jsonl", max_bytes=4096, keep=2)
    for number in range(200):
        trail.write(event(number))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 3
    assert max(sizes) <= 4096
    kept = [int(line["at"]) for line in trail.read()]
    assert kept == list(range(kept[0], 200))


def test_a_line_that_a_crash_cut_off_spoils_no_other(tmp_path: Path) -> None:
    """The next one begins a line of its own."""
    trail = AuditTrail(tmp_path / "audit.jsonl")
    (tmp_path / "audit.jsonl").write_text('{"at": 1, "ru')
    trail.write(event(2))
    assert [line["at"] for line in trail.read()] == [2.0]


def test_a_writer_that_is_frozen_stops_no_other(tmp_path: Path) -> None:
    """Its lock on the file is waited for, but not for ever; meanwhile the file only grows."""
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path, max_bytes=4096)
    trail.write(event(0))
    with path.open("a") as frozen:
        fcntl.flock(frozen, fcntl.LOCK_EX)
        trail.write(event(1))
    assert [line["at"] for line in trail.read()] == [0.0, 1.0]


def test_an_audit_trail_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    """It is counted; the signal tells all the same."""
    recovery = Recovery([Rule("r", YES, [Action("a", lambda: None)])], audit=str(tmp_path / "no" / "audit.jsonl"))
    told: list[RecoveryEvent] = []
    recovery.told.connect(told.append)
    until(recovery, "done")
    assert (len(told), recovery.stats().audit_failures) == (3, 3)


def write_many(path: str, first: int) -> None:
    """In a process of its own."""
    trail = AuditTrail(path, max_bytes=65_536, keep=50)
    for number in range(first, first + 300):
        trail.write(event(number))


def test_two_processes_share_an_audit_trail(tmp_path: Path) -> None:
    """No line is lost or torn, also while files are put aside."""
    context = multiprocessing.get_context("spawn")
    path = str(tmp_path / "audit.jsonl")
    crew = [context.Process(target=write_many, args=(path, first)) for first in (0, 1000)]
    for each in crew:
        each.start()
    for each in crew:
        each.join(60)
    found = sorted(int(line["at"]) for line in AuditTrail(path, max_bytes=65_536, keep=50).read())
    assert found == [*range(300), *range(1000, 1300)]
    assert len(list(tmp_path.iterdir())) > 1


# -- over workers -----------------------------------------------------------------------------------------------------


def test_a_budget_in_a_segment_is_one_for_all_workers(tmp_path: Path) -> None:
    """Two engines, as of two workers: together no more than it says."""
    segment = sw.Segment(str(tmp_path / "budget"), size=1 << 20)
    starts: list[str] = []
    engines = [
        Recovery(
            [Rule("r", YES, [Action("a", lambda: starts.append("a"))])],
            budget=Budget(1, 3600, shared=segment, name="restarts"),
        )
        for _ in range(2)
    ]
    until(engines[0], "done")
    refused = until(engines[1], "refused")
    assert refused.detail == "1 in 3600 s are spent, for 3.6e+03 s"
    assert starts == ["a"]


WORKER = """
import signal, sys, threading
from seawall.monitor.recovery import Action, Condition, Recovery, Rule, restart_worker
rule = Rule("sick", Condition("always", lambda r, held: True), [restart_worker({arguments})])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
with Recovery([rule], every=0.01, audit="audit.jsonl"):
    while True:
        threading.Event().wait(0.05)
"""


@pytest.mark.parametrize(
    ("arguments", "code"), [('"term"', 7), ('"exit", before=lambda: print("drained", flush=True)', 75)]
)
def test_a_worker_has_itself_replaced(arguments: str, code: int, tmp_path: Path) -> None:
    """By the signal that its manager's workers end upon, or by an exit code that its manager takes for a failure.

    The audit trail says who did it, though the process has ended in the midst of the action.
    """
    done = subprocess.run(
        [sys.executable, "-c", WORKER.format(arguments=arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert ("drained" in done.stdout) == (code == 75)
    assert [line["kind"] for line in AuditTrail(tmp_path / "audit.jsonl").read()][:2] == ["began", "started"]


MANAGER = """
import signal, subprocess, sys
told = []
signal.signal(signal.SIGHUP, lambda *_: (print("reload", flush=True), sys.exit(0)))
worker = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
try:
    worker.wait()
finally:
    worker.kill()
    worker.wait()
"""


def test_the_manager_of_a_worker_is_told_to_reload(tmp_path: Path) -> None:
    """As gunicorn is, by SIGHUP to the parent."""
    command = [sys.executable, "-c", MANAGER, WORKER.format(arguments='"hup_parent"')]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.stdout == "reload\n"


def test_a_restart_that_its_drain_calls_off_is_a_failure() -> None:
    """Nothing is sent."""
    sent: list[Any] = []

    def drain() -> None:
        raise TimeoutError("requests are still under way")

    action = restart_worker(before=drain, send=lambda *it: sent.append(it))
    assert until(Recovery([Rule("r", YES, [action])]), "failed").detail == "TimeoutError: requests are still under way"
    assert sent == []
    action = restart_worker(send=lambda *it: sent.append(it))
    until(Recovery([Rule("r", YES, [action])]), "done")
    assert [which for _, which in sent] == [signal.SIGTERM]


def test_events_pickle() -> None:
    """They cross process pools."""
    assert pickle.loads(pickle.dumps(event(1))) == event(1)
