"""What the driver sends again, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seawall.clock import Deadline, ManualClock
from seawall.engines import EngineOptions
from seawall.engines._driver import Driver
from seawall.engines.operation import Afresh, Regardless, Send, Wait
from seawall.errors import ConfigError, Conflict, DeadlineExceeded, Unavailable, UnknownOutcome
from seawall.guard.retry import Retry


class ScriptedWire:
    """Answers by a script: values are replies, errors are raised; the last entry repeats. Each call takes `takes` s."""

    def __init__(self, clock: ManualClock, *script: Any, takes: float = 0.0) -> None:
        self.clock = clock
        self.script = list(script)
        self.takes = takes
        self.timeouts: list[float] = []

    def execute(self, what: Any, timeout: float) -> Any:
        self.timeouts.append(timeout)
        self.clock.advance(min(self.takes, timeout))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def execute_async(self, what: Any, timeout: float) -> Any:
        return self.execute(what, timeout)

    def close(self) -> None:
        """Nothing is open."""

    async def close_async(self) -> None:
        """Nothing is open."""


def operation(*steps: Any) -> Any:
    """Sends the steps and returns their replies."""
    replies = []
    for step in steps:
        replies.append((yield step))
    return replies


@pytest.fixture(params=["sync", "async"])
def drive(request: pytest.FixtureRequest):
    """Runs an operation over a scripted wire, on either face."""

    def run(wire: ScriptedWire, *steps: Any, **options: Any) -> Any:
        driver = Driver(wire, EngineOptions(**options), wire.clock, "test://engine")
        if request.param == "sync":
            return driver.run(operation(*steps))
        return asyncio.run(driver.run_async(operation(*steps)))

    return run


@pytest.fixture
def clock() -> ManualClock:
    """Jumps over waits."""
    return ManualClock(autojump=True)


def gone() -> Unavailable:
    """Not connected."""
    return Unavailable("connection refused")


def lost() -> UnknownOutcome:
    """Sent, and no answer."""
    return UnknownOutcome("connection reset after sending")


def test_what_was_not_reached_is_tried_again(drive, clock):
    """Unavailable says that nothing was changed, so any send may be repeated."""
    wire = ScriptedWire(clock, gone(), gone(), "done")
    assert drive(wire, Send("write")) == ["done"]
    assert len(wire.timeouts) == 3


def test_a_change_whose_answer_was_lost_is_not_sent_again(drive, clock):
    """It is the caller who must find out."""
    wire = ScriptedWire(clock, lost(), "done")
    with pytest.raises(UnknownOutcome, match=r"^connection reset after sending$"):
        drive(wire, Send("write"))
    assert len(wire.timeouts) == 1


def test_a_question_whose_answer_was_lost_is_asked_again(drive, clock):
    """Asking twice makes no difference."""
    wire = ScriptedWire(clock, lost(), gone(), "answer")
    assert drive(wire, Send("read", again=True)) == ["answer"]


def test_a_question_never_answered_changed_nothing(drive, clock):
    """So it ends as Unavailable, not as UnknownOutcome."""
    wire = ScriptedWire(clock, lost())
    with pytest.raises(Unavailable) as refused:
        drive(wire, Send("read", again=True), attempts=3)
    assert str(refused.value) == (
        "test://engine did not answer; nothing was to be changed (connection reset after sending)"
    )
    assert len(wire.timeouts) == 3


def test_an_answer_that_is_an_error_is_not_repeated(drive, clock):
    """A conflict is an answer."""
    wire = ScriptedWire(clock, Conflict("no", expected=1, actual=2))
    with pytest.raises(Conflict):
        drive(wire, Send("write"))
    assert len(wire.timeouts) == 1


def test_an_operation_ends_within_its_timeout(drive, clock):
    """Tries and waits together; each send is told what is left."""
    wire = ScriptedWire(clock, gone(), takes=1.0)
    with pytest.raises(Unavailable):
        drive(wire, Send("write"), operation_timeout=2.5, attempts=100, break_after=100)
    assert clock.time() <= 2.5 + 1e-6
    assert wire.timeouts[0] == 2.5
    assert wire.timeouts == sorted(wire.timeouts, reverse=True)


def test_several_sends_share_one_timeout(drive, clock):
    """The second has what the first has left."""
    wire = ScriptedWire(clock, "done", takes=1.0)
    assert drive(wire, Send("a"), Wait(0.5), Send("b"), operation_timeout=2.0) == ["done", None, "done"]
    assert wire.timeouts == [2.0, 0.5]


def test_news_may_be_waited_for_longer(drive, clock):
    """What the engine was asked to wait comes on top; `within` bounds one send."""
    wire = ScriptedWire(clock, "news")
    drive(wire, Send("poll", extra=10.0), Send("poll", extra=10.0, within=3.0), operation_timeout=2.0)
    assert wire.timeouts == [12.0, 3.0]


def test_the_callers_deadline_wins(drive, clock):
    """When it ends sooner; once it has passed nothing is sent."""
    wire = ScriptedWire(clock, "done", takes=1.0)
    with Deadline(1.0, clock=clock):
        drive(wire, Send("a"))
        with pytest.raises(DeadlineExceeded, match=r"^the deadline has passed before test://engine was asked$"):
            drive(wire, Send("b"))
    assert wire.timeouts == [1.0]


def test_an_engine_that_stays_away_is_not_asked_for_a_while(clock):
    """After so many failures in a row callers are told at once, until one probe succeeds."""
    wire = ScriptedWire(clock, gone(), gone(), gone(), "done")
    driver = Driver(wire, EngineOptions(attempts=1, break_after=3, break_for=2.0), clock, "test://engine")
    for _ in range(3):
        with pytest.raises(Unavailable, match="connection refused"):
            driver.run(operation(Send("a")))
    with pytest.raises(Unavailable) as refused:
        driver.run(operation(Send("a")))
    assert str(refused.value) == (
        "test://engine has not been reachable and is asked again in 2 s; see that it runs and can be reached"
    )
    assert len(wire.timeouts) == 3
    clock.advance(2.0)
    assert driver.run(operation(Send("a"))) == ["done"]


def test_layers_of_retries_do_not_multiply(clock):
    """Inside the caller's own Retry each of its attempts is one send."""
    wire = ScriptedWire(clock, gone(), gone(), "done")
    driver = Driver(wire, EngineOptions(), clock, "test://engine")
    with pytest.raises(Unavailable):
        Retry(2, on=Unavailable, clock=clock).call(lambda: driver.run(operation(Send("a"))))
    assert len(wire.timeouts) == 2


def test_an_operation_can_handle_an_error(drive, clock):
    """It is raised where it yielded."""

    def careful() -> Any:
        try:
            yield Send("write")
        except UnknownOutcome:
            return (yield Send("read", again=True))

    wire = ScriptedWire(clock, lost(), "state")
    driver = Driver(wire, EngineOptions(), clock, "test://engine")
    assert driver.run(careful()) == "state"


def test_a_closed_driver_sends_nothing(clock):
    """The error says what to do."""
    driver = Driver(ScriptedWire(clock, "done"), EngineOptions(), clock, "test://engine")
    driver.closed = True
    with pytest.raises(ConfigError, match=r"^test://engine is closed; open another engine$"):
        driver.run(operation(Send("a")))


def test_cancellation_reaches_the_operation_and_goes_on():
    """The generator is left, and the task is cancelled."""
    left: list[str] = []

    class Endless(ScriptedWire):
        async def execute_async(self, what: Any, timeout: float) -> Any:
            await asyncio.Event().wait()

    def careful() -> Any:
        try:
            yield Send("read", again=True)
        finally:
            left.append("left")

    async def main() -> None:
        clock = ManualClock()
        driver = Driver(Endless(clock, "never"), EngineOptions(), clock, "test://engine")
        task = asyncio.create_task(driver.run_async(careful()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert left == ["left"]


def test_afresh_gives_the_operation_its_whole_time_again(drive, clock):
    """Who waits for others may go on for long; each round is bounded as ever."""
    wire = ScriptedWire(clock, "yes", takes=0.8)
    drive(wire, Send("ask"), Afresh(), Send("ask"), Afresh(), Send("ask"), operation_timeout=1.0)
    assert wire.timeouts == pytest.approx([1.0, 1.0, 1.0])


def test_what_was_taken_is_given_back_regardless(drive):
    """A passed deadline and an operation timeout do not count from there on; its own time does."""
    clock = ManualClock()
    wire = ScriptedWire(clock, "reply", takes=3.0)
    with Deadline(2, clock=clock):
        steps = (Send("a"), Regardless(4.0), Send("b"), Send("c"))
        assert drive(wire, *steps, operation_timeout=5.0) == ["reply", None, "reply", "reply"]
    assert wire.timeouts == [2.0, 4.0, 1.0]
