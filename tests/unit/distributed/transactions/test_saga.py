"""Sagas as their callers see them: order, retries, the way back, the pivot, deadlines, and what people decide."""

from __future__ import annotations

import asyncio
import threading

import pytest

from seawall.clock import Deadline, ManualClock
from seawall.distributed.transactions.saga import Orchestrator, Parallel, Saga, SagaTrouble, Step
from seawall.engines import open_engine
from seawall.errors import (
    ConfigError,
    DeadlineExceeded,
    LeaseLost,
    StepRefused,
    TransactionBusy,
    TransactionError,
    TransactionExists,
    TransactionUnknown,
)
from seawall.guard.retry import Exponential, Retry

ANY = Retry(3, on=Exception, backoff=0.0, jitter="none")


@pytest.fixture
def clock():
    """Time for leases, waits and stamps; jumps when somebody waits."""
    return ManualClock(1_000.0, autojump=True)


@pytest.fixture
def engine(clock):
    """Memory."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


@pytest.fixture
def made(engine, clock):
    """Makes orchestrators of sagas, as many as a test has processes."""
    orchestrators = []

    def make(*sagas: Saga, **options: object) -> Orchestrator:
        orchestrators.append(Orchestrator(engine, sagas, wall=clock, **{"ttl": 30, **options}))
        return orchestrators[-1]

    yield make
    for each in orchestrators:
        each.close()


class Calls(list[str]):
    """What was called, in order."""

    def step(self, name: str, *errors: Exception, **options: object) -> Step:
        """A step that fails with these errors, one a call, and then succeeds; with its compensation."""
        left = list(errors)

        def action(context):
            self.append(context.key)
            if left:
                raise left.pop(0)
            return {"of": name, "attempt": context.attempt}

        def compensation(context):
            self.append(f"{context.key} of {context.result}")

        if not options.get("pivot"):
            options.setdefault("compensation", compensation)
        return Step(name, action, **{"retry": ANY, **options})


@pytest.fixture
def calls():
    """A record of calls."""
    return Calls()


def whats(orchestrator: Orchestrator, id: str) -> list[str]:
    """Its history in words."""
    history = orchestrator.log.load("saga", id)
    assert history is not None
    return [
        " ".join(
            str(word) for word in (e.what, e.data.get("step"), e.data.get("of") == "compensation" and "back") if word
        )
        for e in history.entries
    ]


def test_steps_run_in_order_and_hand_on_their_results(made, calls):
    """Each sees the input and the results before it, under a key of its own; the last record is final."""
    seen = []

    def look(context):
        seen.append((context.id, context.saga, context.step, context.operation, context.input, context.results))
        context.results["a"]["of"] = context.input["x"] = "changed only here"

    orchestrator = made(Saga("s", calls.step("a"), Step("look", look), Step("again", look)))
    result = orchestrator.run("s", {"x": (1, 2)}, id="1")
    assert (result.state, result.ok, result.finished, result.reason) == ("done", True, True, "")
    assert result.results == {"a": {"of": "a", "attempt": 1}, "look": None, "again": None}
    assert seen == [
        ("1", "s", "look", "action", {"x": [1, 2]}, {"a": {"of": "a", "attempt": 1}}),
        ("1", "s", "again", "action", {"x": [1, 2]}, {"a": {"of": "a", "attempt": 1}, "look": None}),
    ]
    assert calls == ["1/a"]
    assert whats(orchestrator, "1") == [
        "begun", "started a", "done a", "started look", "done look", "started again", "done again", "finished",
    ]  # fmt: skip
    assert result.raise_unless_done() is result


def test_three_steps_cost_four_writes(made, calls, monkeypatch):
    """The result of one step and the intent of the next are one write; so are the beginning and the end."""
    orchestrator = made(Saga("s", *(calls.step(name) for name in "abc")))
    sent = []
    wire = orchestrator.log._driver.wire
    monkeypatch.setattr(
        wire, "execute", lambda what, timeout, honest=wire.execute: sent.append(1) or honest(what, timeout)
    )
    orchestrator.run("s")
    assert len(sent) == 4


def test_what_is_begun_again_is_not_run_again(made, calls):
    """The same id and input give the same end; another input is refused; without an id each is a new one."""
    orchestrator = made(Saga("s", calls.step("a")), Saga("t", calls.step("a")))
    first = orchestrator.run("s", 1, id="1")
    assert orchestrator.run("s", 1, id="1") == first
    assert orchestrator.start("s", 1, id="1") == first
    assert orchestrator.resume("1") == orchestrator.status("1") == first
    assert calls == ["1/a"]
    for name, value in (("s", 2), ("t", 1)):
        with pytest.raises(TransactionExists):
            orchestrator.run(name, value, id="1")
    assert orchestrator.run("s", 1).id != orchestrator.run("s", 1).id


def test_a_failure_is_retried_and_then_compensated_in_reverse(made, calls):
    """Also the step that failed: its effect may have happened; what it returned is told where it is known."""
    saga = Saga("s", calls.step("a"), calls.step("b", ValueError("x")), calls.step("c", *[ValueError("y")] * 3))
    orchestrator = made(saga)
    result = orchestrator.run("s", id="1")
    assert (result.state, result.reason) == ("compensated", "step 'c': ValueError: y")
    assert calls == [
        "1/a", "1/b", "1/b", "1/c", "1/c", "1/c",
        "1/c/compensation of None",
        "1/b/compensation of {'of': 'b', 'attempt': 2}",
        "1/a/compensation of {'of': 'a', 'attempt': 1}",
    ]  # fmt: skip
    with pytest.raises(TransactionError) as raised:
        result.raise_unless_done()
    assert str(raised.value) == "saga 's' '1' is compensated: step 'c': ValueError: y"


def test_a_refusal_is_neither_retried_nor_compensated(made, calls):
    """It says that nothing has happened."""
    orchestrator = made(Saga("s", calls.step("a"), calls.step("b", StepRefused("no money"))))
    result = orchestrator.run("s", id="1")
    assert (result.state, result.reason) == ("compensated", "step 'b': StepRefused: no money")
    assert calls == ["1/a", "1/b", "1/a/compensation of {'of': 'a', 'attempt': 1}"]


def test_errors_that_are_bugs_are_not_retried_by_default(made, calls):
    """Transient ones are, three times."""
    orchestrator = made(
        Saga("bug", calls.step("a", TypeError("x"), retry=None)),
        Saga("slow", calls.step("a", TimeoutError("x"), retry=None)),
    )
    assert not orchestrator.run("bug", id="1").ok
    assert orchestrator.run("slow", id="2").ok
    assert calls == ["1/a", "1/a/compensation of None", "2/a", "2/a"]


def test_attempts_are_counted_over_restarts(made, calls, clock, monkeypatch):
    """Who dies in the wait between two attempts leaves their number, and the rest of the wait."""
    policy = Retry(3, on=Exception, backoff=Exponential(100.0, 2.0, 1000.0), jitter="none")
    saga = Saga("s", calls.step("a", *[OSError("x")] * 5, retry=policy))
    started = clock.time()

    class _DiedError(BaseException):
        pass

    def die(seconds):
        raise _DiedError

    for _ in range(2):
        with monkeypatch.context() as mortal:
            mortal.setattr(type(clock), "sleep", lambda self, seconds: die(seconds))
            with pytest.raises(_DiedError):
                made(saga).run("s", id="1")
        clock.advance(50)
    assert calls == ["1/a"]
    result = made(saga).run("s", id="1")
    assert result.reason == "step 'a': OSError: x"
    assert calls == ["1/a", "1/a", "1/a", "1/a/compensation of None"]
    assert clock.time() - started == pytest.approx(300, abs=1)


def test_a_step_that_kills_its_process_is_not_begun_for_ever(made):
    """After eleven times without an end it counts as failed, and is compensated."""
    begun, undone = [], []

    class _DiedError(BaseException):
        pass

    def deadly(context):
        begun.append(context.attempt)
        raise _DiedError

    saga = Saga("s", Step("a", deadly, lambda context: undone.append(context.key)))
    for _ in range(11):
        with pytest.raises(_DiedError):
            made(saga).run("s", id="1")
    result = made(saga).run("s", id="1")
    assert result.state == "compensated"
    assert result.reason == ("step 'a': it was begun 11 times and never came to an end; see why the process dies in it")
    assert begun == [1] * 11
    assert undone == ["1/a/compensation"]


def test_branches_run_at_the_same_time_and_are_undone_one_by_one(made, calls):
    """Two wait for each other; a third that fails lets them end and then all are compensated, the last first."""
    both = threading.Barrier(2)

    def meet(context):
        both.wait(30)
        return context.step

    def undo(context):
        calls.append(context.key)

    saga = Saga("s", Parallel(Step("a", meet, undo), (Step("b", meet, undo), Step("c", meet, undo))), Step("d", meet))
    refused = Saga(
        "t", Parallel(Step("a", meet, undo), Step("b", meet, undo), calls.step("x", StepRefused("no"))), Step("d", meet)
    )
    orchestrator = made(saga, refused)
    threading.Thread(target=both.wait, args=(30,), daemon=True)
    result = orchestrator.run("t", id="2")
    assert result.state == "compensated"
    assert calls == ["2/x", "2/b/compensation", "2/a/compensation"]
    assert set(result.results) == {"a", "b"}


def test_after_the_pivot_there_is_only_forward(made, calls):
    """What comes after it is retried for any error by default, then parked; a person lets it go on."""
    saga = Saga("s", calls.step("a"), calls.step("p", pivot=True), calls.step("z", *[KeyError("x")] * 12, retry=None))
    orchestrator = made(saga)
    result = orchestrator.run("s", id="1")
    assert (result.state, result.reason) == ("parked", "step 'z': KeyError: 'x'")
    assert calls == ["1/a", "1/p", *["1/z"] * 10]
    assert orchestrator.recover() == []
    with pytest.raises(TransactionError) as refused:
        orchestrator.order("1", "compensate", by="ada", why="please")
    assert str(refused.value) == "cannot compensate saga '1': its pivot 'p' is done, and cannot be undone"
    assert orchestrator.order("1", "retry", by="ada", why="it is back").state == "running"
    assert [each.state for each in orchestrator.recover()] == ["done"]
    assert calls == ["1/a", "1/p", *["1/z"] * 13]


def test_a_pivot_of_which_nobody_knows_is_parked(made, calls):
    """A refusal leads back; any other failure may have happened."""
    unknown = Saga("unknown", calls.step("a"), calls.step("p", *[OSError("cut")] * 3, pivot=True))
    refused = Saga("refused", calls.step("a"), calls.step("p", StepRefused("no"), pivot=True))
    orchestrator = made(unknown, refused)
    result = orchestrator.run("unknown", id="1")
    assert result.state == "parked"
    assert result.reason == "step 'p': OSError: cut; nobody knows whether the pivot has happened"
    assert orchestrator.order("1", "compensate", by="ada", why="it has not happened").state == "compensating"
    assert orchestrator.resume("1").state == "compensated"
    assert orchestrator.run("refused", id="2").state == "compensated"


def test_a_compensation_that_fails_is_parked_and_can_be_resolved(made):
    """With the reason; a person who has seen to it ends the saga."""

    def fail(context):
        raise OSError("shut")

    orchestrator = made(Saga("s", Step("a", lambda c: 1, fail, compensation_retry=ANY), Step("b", fail, retry=ANY)))
    result = orchestrator.run("s", id="1")
    assert (result.state, result.reason) == ("parked", "compensation of step 'a': OSError: shut")
    assert orchestrator.order("1", "resolve", by="ada", why="released by hand").state == "resolved"
    assert orchestrator.status("1").reason == "released by hand"
    with pytest.raises(TransactionError) as late:
        orchestrator.order("1", "retry", by="ada", why="again")
    assert str(late.value) == "cannot retry saga '1': it is resolved, and nothing more can happen to it"


def test_a_deadline_leads_back_unless_the_pivot_has_begun(made, calls, clock):
    """No step begins after it, and no wait outlasts it."""
    slow = Retry(5, on=Exception, backoff=40.0, jitter="none")
    before = Saga("before", calls.step("a"), calls.step("b", *[OSError("x")] * 4, retry=slow), deadline=60)
    after = Saga("after", calls.step("p", *[OSError("x")] * 2, retry=slow, pivot=True), calls.step("z"), deadline=60)
    orchestrator = made(before, after)
    began = clock.time()
    result = orchestrator.run("before", id="1")
    assert (result.state, result.reason) == ("compensated", "the deadline has passed before step 'b' was done")
    assert clock.time() - began == pytest.approx(60, abs=0.1)
    assert calls[:3] == ["1/a", "1/b", "1/b"]
    assert orchestrator.run("after", id="2").ok


def test_a_step_has_a_timeout(made, engine):
    """A plain function finds a Deadline; a coroutine is cancelled."""
    left = []

    def plain(context):
        left.append(Deadline.current().remaining())

    async def hang(context):
        await asyncio.Event().wait()

    saga = Saga("s", Step("plain", plain, timeout=5), Step("hang", hang, timeout=0.01, retry=Retry(1)))
    result = made(saga).run("s")
    assert result.reason == "step 'hang': TimeoutExceeded: hang: no answer within 0.01 s"
    assert 0 < left[0] <= 5


async def test_tasks_run_the_same_sagas(made, calls):
    """Coroutines are awaited, branches are tasks, plain functions get a thread."""
    both = asyncio.Event()

    async def first(context):
        await both.wait()
        return "first"

    async def second(context):
        both.set()
        return threading.current_thread() is threading.main_thread()

    def plain(context):
        return threading.current_thread() is threading.main_thread()

    orchestrator = made(Saga("s", Parallel(Step("a", first), Step("b", second)), Step("c", plain)))
    result = await orchestrator.run_async("s", id="1")
    assert result.results == {"a": "first", "b": True, "c": False}
    assert await orchestrator.status_async("1") == result
    assert (await orchestrator.start_async("s", id="2")).state == "running"
    assert [each.id for each in await orchestrator.recover_async()] == ["2"]
    assert await orchestrator.resume_async("2") == await orchestrator.status_async("2")


async def test_a_cancelled_saga_is_left_to_others_at_once(made, calls):
    """Not a moment of the claim is waited for; what was under way is begun again under the same key."""
    entered, keys = asyncio.Event(), []

    async def hang(context):
        keys.append((context.key, context.attempt))
        if len(keys) == 1:
            entered.set()
            await asyncio.Event().wait()

    saga = Saga("s", calls.step("a"), Step("hang", hang, retry=Retry(1)))
    task = asyncio.create_task(made(saga).run_async("s", id="1"))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    other = made(saga)
    assert [each.state for each in await other.recover_async()] == ["done"]
    assert keys == [("1/hang", 1)] * 2
    assert calls == ["1/a"]


async def test_a_cancelled_saga_waits_for_the_thread_it_has(made):
    """Nobody may begin a plain function again as long as it runs."""
    entered, release, ended = threading.Event(), threading.Event(), []

    def slow(context):
        entered.set()
        release.wait(30)
        ended.append(context.key)

    saga = Saga("s", Step("slow", slow))
    task = asyncio.create_task(made(saga).run_async("s", id="1"))
    await asyncio.to_thread(entered.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    with pytest.raises(TransactionBusy):
        await made(saga).resume_async("1")
    assert ended == []
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await made(saga).resume_async("1")).ok
    assert ended == ["1/slow"] * 2


def test_who_lost_its_claim_in_a_step_writes_nothing(made, clock):
    """Another goes on meanwhile; the step is told, and the caller gets LeaseLost."""
    told = []

    def slow(context):
        if not told:
            told.append(context.lost)
            clock.advance(31)
            told.append(other.resume("1").state)
        return "mine" if len(told) == 2 else "theirs"

    saga = Saga("s", Step("a", slow))
    other = made(saga, owner="other")
    with pytest.raises(LeaseLost):
        made(saga, owner="me").run("s", id="1")
    assert told == [False, "done"]
    assert other.status("1").ok


def test_a_claim_is_renewed_while_a_step_takes_long(made, monkeypatch):
    """By a thread of its own, every third of its time."""
    renewed = threading.Event()
    orchestrator = made(Saga("s", Step("a", lambda context: renewed.wait(30))), ttl=0.1)
    _tell_of_renewals(monkeypatch, orchestrator, renewed)
    assert orchestrator.run("s").results == {"a": True}


def test_a_step_is_told_that_its_claim_is_lost(made, clock, monkeypatch):
    """By its context, once the renewal has failed; then nothing it does will count."""
    tried, told = threading.Event(), []

    def slow(context):
        clock.advance(1)
        assert tried.wait(30)
        told.append(context.lost)

    orchestrator = made(Saga("s", Step("a", slow)), ttl=0.1)
    _tell_of_renewals(monkeypatch, orchestrator, tried)
    with pytest.raises(LeaseLost):
        orchestrator.run("s")
    assert told == [True]


def _tell_of_renewals(monkeypatch, orchestrator, event):
    honest = type(orchestrator.log).keep

    def keep(self, owned):
        try:
            honest(self, owned)
        finally:
            event.set()

    monkeypatch.setattr(type(orchestrator.log), "keep", keep)


def test_a_caller_without_time_leaves_the_saga_to_recovery(made, clock):
    """Its Deadline holds for the writes, too; the step that was done is done again under its key."""
    keys = []

    def slow(context):
        keys.append(context.key)
        if len(keys) == 1:
            clock.advance(2)

    saga = Saga("s", Step("a", slow))
    with Deadline(1, clock=clock), pytest.raises(DeadlineExceeded):
        made(saga).run("s", id="1")
    assert made(saga).recover() == []
    clock.advance(30)
    assert [each.state for each in made(saga).recover()] == ["done"]
    assert keys == ["1/a"] * 2


def test_recovery_leaves_what_it_cannot_run(made, calls, clock):
    """Unknown names and other steps are left, and can be asked for only by an error that says so."""
    old = Saga("s", calls.step("a"), calls.step("b"))
    made(old).start("s", id="1")
    changed, unknown = made(Saga("s", calls.step("a"))), made(Saga("t", calls.step("a")))
    assert changed.recover() == unknown.recover() == []
    with pytest.raises(ConfigError) as other:
        changed.resume("1")
    assert str(other.value) == (
        "saga '1' was begun with other steps than 's' has now; go on with it by the definition it was begun with, or "
        "resolve it by hand: give a definition whose steps change a new name"
    )
    with pytest.raises(ConfigError) as none:
        unknown.resume("1")
    assert str(none.value) == "saga '1' is of 's', whose definition this orchestrator was not given"
    assert [each.state for each in made(old).recover()] == ["done"]
    with pytest.raises(TransactionUnknown) as gone:
        changed.resume("2")
    assert str(gone.value) == "there is no saga '2', or it has been pruned"


def test_a_worker_goes_on_with_what_nobody_has(made, calls, clock):
    """Until it is stopped; whoever is interested hears how each ended."""
    saga = Saga("s", calls.step("a"), calls.step("b", *[OSError("x")] * 3))
    starter, worker = made(saga), made(saga)
    for number in range(20):
        starter.start("s", number, id=f"{number:02}")
    ended, stop = [], threading.Event()

    def hear(result):
        ended.append((result.id, result.state))
        if len(ended) == 20:
            stop.set()

    worker.ended.connect(hear)
    thread = threading.Thread(target=worker.work, args=(stop,), kwargs={"poll": 0.01, "concurrency": 3})
    thread.start()
    assert stop.wait(60)
    thread.join()
    assert sorted(id for id, _ in ended) == [f"{number:02}" for number in range(20)]
    assert {state for _, state in ended} == {"done", "compensated"}


async def test_a_worker_of_tasks_ends_when_cancelled(made):
    """What it was running is left to others at once."""
    entered = asyncio.Event()

    async def hang(context):
        entered.set()
        await asyncio.Event().wait()

    saga = Saga("s", Step("a", hang))
    starter, worker = made(saga), made(saga)
    starter.start("s", id="1")
    task = asyncio.create_task(worker.work_async())
    await entered.wait()
    with pytest.raises(TransactionBusy):
        await starter.resume_async("1")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert starter.log.keys("saga", unowned=True) != ()


def test_a_worker_tells_what_it_cannot_do_and_goes_on(made, engine, calls, monkeypatch):
    """An engine that is away, a saga that cannot be read."""
    saga = Saga("s", calls.step("a"))
    worker = made(saga)
    worker.log.journal.append("open/saga/broken", b"garbage")
    worker.start("s", id="fine")
    heard, stop = [], threading.Event()

    def hear(trouble: SagaTrouble):
        heard.append((trouble.id, str(trouble.error)))
        stop.set()

    worker.troubled.connect(hear)
    worker.work(stop, poll=0.01)
    assert heard == [("broken", "stream 'open/saga/broken' holds a record that no transaction wrote: b'garbage'")]
    assert worker.status("fine").ok


def test_what_has_to_wait_long_is_left_by_recovery(made, calls, clock):
    """Its place is free for others; it is looked at again when it is due."""
    policy = Retry(3, on=Exception, backoff=100.0, jitter="none")
    saga = Saga("s", calls.step("a", OSError("x"), retry=policy))
    made(saga).start("s", id="1")
    worker = made(saga)
    assert [each.state for each in worker.recover()] == ["running"]
    assert worker.recover() == []
    clock.advance(90)
    assert worker.recover() == []
    clock.advance(11)
    assert [each.state for each in worker.recover()] == ["done"]
    assert calls == ["1/a", "1/a"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Saga("s"), "saga 's' must have at least one step"),
        (lambda: Saga("", Step("a", print)), "name must be text of 1 to 100 bytes, got ''"),
        (lambda: Saga("s", print), f"steps of saga 's' must be Step or Parallel, got {print!r}"),
        (
            lambda: Saga("s", Step("a", print), Step("a", print)),
            "saga 's' has two steps named 'a'; their records would be mixed up",
        ),
        (
            lambda: Saga("s", Step("a", print, pivot=True), Step("b", print, pivot=True)),
            "saga 's' must have at most one pivot, got a, b",
        ),
        (
            lambda: Saga("s", Parallel(Step("a", print, pivot=True), Step("b", print))),
            "pivot 'a' of saga 's' must not be inside a Parallel",
        ),
        (lambda: Step("a/b", print), "name must be text of 1 to 100 bytes without '/', got 'a/b'"),
        (lambda: Step("a", 7), "action of step 'a' must be a function of the step's context, got 7"),
        (lambda: Step("a", print, 7), "compensation of step 'a' must be a function of the step's context, got 7"),
        (lambda: Step("a", print, retry=3), "retry of step 'a' must be a Retry, got 3"),
        (
            lambda: Step("a", print, print, pivot=True),
            "step 'a' is the pivot and cannot be undone; leave its compensation out",
        ),
        (lambda: Parallel(Step("a", print)), None),
    ],
)
def test_a_definition_that_can_never_work_is_refused(make, message):
    """With the name, the value and the way out."""
    with pytest.raises(ConfigError) as refused:
        make()
    assert message is None or str(refused.value) == message


def test_an_orchestrator_knows_its_sagas(made, calls, engine):
    """At least one, each name once; others are refused by name, as is input that is no JSON."""
    saga = Saga("s", calls.step("a"))
    for sagas, message in (
        ((), "sagas must be at least one Saga, got none"),
        ((saga, Saga("s", calls.step("a"))), "two sagas are named 's'; recovery could not tell them apart"),
        ((print,), f"sagas must be Saga objects, got {print!r}"),
    ):
        with pytest.raises(ConfigError) as refused:
            made(*sagas)
        assert str(refused.value) == message
    orchestrator = made(saga)
    with pytest.raises(ConfigError) as unknown:
        orchestrator.run("t")
    assert str(unknown.value) == "saga must be one of s, got 't'; give its definition to the Orchestrator"
    with pytest.raises(ConfigError) as no_json:
        orchestrator.run("s", {1, 2})
    assert str(no_json.value) == (
        "input must be JSON (None, bool, int, float, str, list, dict), but Object of type set is not JSON serializable"
    )
    assert orchestrator.status("1") is None


def test_ended_sagas_are_forgotten_after_a_while(made, calls, clock):
    """Those that have not ended never."""
    orchestrator = made(Saga("s", calls.step("a")))
    orchestrator.run("s", id="old")
    orchestrator.start("s", id="open")
    clock.advance(100)
    orchestrator.run("s", id="new")
    assert orchestrator.prune(older=50) == 1
    assert [orchestrator.status(id) is None for id in ("old", "open", "new")] == [True, False, False]


def test_a_result_that_is_no_json_is_a_failure(made, calls):
    """The step may have had its effect, so it is compensated."""
    undone = []
    saga = Saga("s", Step("a", lambda context: object(), lambda context: undone.append(context.step)))
    result = made(saga).run("s")
    assert result.state == "compensated"
    assert result.reason.startswith("step 'a': ConfigError: the result of step 'a' must be JSON")
    assert undone == ["a"]
