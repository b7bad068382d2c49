"""The profiler on running threads and tasks. Whoever waits here waits until enough was seen."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.observe.profiler import Profile, Profiler, Slowed, Stack, _cpu
from seawall.observe.profiler._options import ProfilerOptions
from seawall.observe.profiler._sampler import Sampler

LINUX = pytest.mark.skipif(not _cpu.AVAILABLE, reason="other systems have no clock of another thread")


def hot(rounds: int = 20_000) -> int:
    """Takes twenty times as long as cold."""
    return sum(i * i for i in range(rounds))


def cold() -> int:
    """Its sibling."""
    return hot(1_000)


@pytest.fixture
def parked() -> Iterator[threading.Event]:
    """Lets a thread of the test go at its end."""
    event = threading.Event()
    yield event
    event.set()


def until(profiler: Profiler, enough: Callable[[Profile], bool], work: Callable[[], object]) -> Profile:
    """Work until the profile has seen enough."""
    while not enough(profiler.profile()):
        work()
    return profiler.stop()


def seen(n: int) -> Callable[[Profile], bool]:
    """Whether so many looks were taken."""
    return lambda profile: profile.sampling is not None and profile.sampling.samples >= n


def test_a_planted_hot_function_is_found() -> None:
    """What takes twenty times as long as its sibling has most of the samples, whatever the machine's speed."""
    profiler = Profiler(rate=500, budget=0.5)
    profiler.start()

    def work() -> None:
        hot()
        cold()

    found = until(profiler, seen(60), work).only(group="MainThread")
    by_line = sum(values[1] for stack, values in found.stacks.items() if "cold" in [f.function for f in stack.frames])
    assert found.share("hot") > 0.6
    assert by_line < 0.3 * found.total("wall")
    assert found.top(1)[0].function == "hot.<locals>.<genexpr>"


def test_wall_time_is_all_of_the_time() -> None:
    """The weights of a thread add up to the time that the profile covers, rare or frequent as looks may be."""
    profiler = Profiler(rate=200, budget=0.5)
    profiler.start()
    found = until(profiler, seen(20), hot)
    assert found.only(group="MainThread").total("wall") == pytest.approx(found.seconds * 1e9, rel=1e-6)


@LINUX
def test_waiting_threads_are_told_apart(parked: threading.Event) -> None:
    """A thread that waits has wall time and hardly any processor time; without idle time little is left."""
    threading.Thread(target=parked.wait, name="idler").start()
    profiler = Profiler(rate=500, budget=0.5, split_threads=True)
    profiler.start()
    found = until(profiler, seen(30), hot)
    idler = found.only(group="idler")
    assert idler.total("samples") >= 30
    assert idler.total("cpu") < 0.1 * idler.total("wall")
    assert idler.only(busy=True).total("wall") < 0.2 * idler.total("wall")
    assert found.only(group="MainThread", busy=True).stacks != {}


def test_threads_that_end_while_it_looks_do_no_harm() -> None:
    """Hundreds of short threads are seen and forgotten, in one group; and the switch interval is put back."""
    before = sys.getswitchinterval()
    others = threading.active_count()
    profiler = Profiler(rate=1_000, budget=0.5, switch_interval=0.0001)
    profiler.start()
    assert sys.getswitchinterval() == pytest.approx(0.0001)

    def work() -> None:
        threads = [threading.Thread(target=hot) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    found = until(profiler, lambda p: seen(50)(p) and p.only(group="Thread-* (hot)").total("samples") > 20, work)
    assert found.sampling is not None
    assert found.sampling.failed == 0
    assert sys.getswitchinterval() == before
    assert profiler._run is not None
    assert len(profiler._run.sampler.threads) < others + 40


async def outer() -> None:
    """Awaits what awaits."""
    await inner()


async def inner() -> None:
    """Waits for ever."""
    await asyncio.Event().wait()


def test_suspended_tasks_show_what_they_await() -> None:
    """Without being told of the loop, it finds the stack of awaits, from the coroutine of the task to the wait."""

    async def main() -> Profile:
        tasks = [asyncio.create_task(outer()) for _ in range(3)]
        await asyncio.sleep(0)
        with Profiler(rate=500, budget=0.5) as profiler:
            while not profiler.profile().only(sort="task", function="inner").total("samples"):
                await asyncio.sleep(0.001)
                hot(5_000)
        for task in tasks:
            task.cancel()
        return profiler.profile()

    found = asyncio.run(main()).only(sort="task", function="inner")
    (stack,) = found.stacks
    assert [frame.function for frame in stack.frames] == ["outer", "inner", "Event.wait"]
    assert stack.group == "tasks"
    assert found.total("samples") % 3 == 0


def test_of_many_tasks_some_stand_for_all() -> None:
    """Looking at 10 of 100 tasks gives the time of 100."""

    async def main() -> Sampler:
        tasks = [asyncio.create_task(outer()) for _ in range(100)]
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        sampler = Sampler(ProfilerOptions(max_tasks=10), [loop], Random(1))
        sampler.look_at_tasks(1_000)
        for task in tasks:
            task.cancel()
        return sampler

    counts = asyncio.run(main()).table.counts
    # One of the 101 is the test itself, which runs and is no suspended task.
    assert sum(count.samples for count in counts.values()) in (9, 10)
    assert sum(count.wall for count in counts.values()) in (9 * 10_100, 10 * 10_100)


def test_generators_in_a_chain_of_awaits_are_frames() -> None:
    """Coroutines made from generators, and asynchronous generators, are part of the stack."""
    import types

    @types.coroutine
    def yielding() -> Iterator[None]:
        yield

    async def stream():  # type: ignore[no-untyped-def]
        await yielding()
        yield 1

    async def consume() -> None:
        async for _ in stream():
            pass

    from seawall.observe.profiler._walk import awaits

    coroutine = consume()
    coroutine.send(None)
    assert [code.co_name for code, _ in awaits(coroutine)][:1] == ["consume"]
    coroutine.close()
    assert awaits(coroutine) == []
    plain = yielding()
    next(plain)
    assert [code.co_name for code, _ in awaits(plain)] == ["yielding"]


def test_a_manual_clock_drives_it(parked: threading.Event) -> None:
    """Looks come when the clock is moved, and each counts for the time since the one before."""
    clock = ManualClock()
    profiler = Profiler(clock=clock, rate=10, budget=0.5, chance=Random(7))
    profiler.start()
    for _ in range(5):
        while not clock.waiting:
            hot(100)
        clock.jump()
        while profiler.profile().seconds != pytest.approx(clock.time()):
            hot(100)
    found = profiler.stop()
    assert found.sampling is not None
    assert found.sampling.samples == 5
    assert found.only(group="MainThread").total("wall") == pytest.approx(clock.time() * 1e9)


def test_dear_looks_become_rarer_and_it_says_so() -> None:
    """A budget that no look can keep is kept by looking less often; the signal and the profile tell."""
    told: list[Slowed] = []
    profiler = Profiler(rate=1_000, budget=0.0005, tasks=False)
    profiler.slowed.connect(told.append)
    profiler.start()
    found = until(profiler, seen(4), hot)
    assert found.sampling is not None
    assert told
    assert (told[0].rate, told[0].budget) == (1_000, 0.0005)
    assert found.sampling.held_back >= 3
    assert found.sampling.held_rate < 500
    assert found.sampling.doubts()[0].startswith("Sampled ")


def test_a_look_that_fails_is_counted_and_the_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """One broken look costs its sample, a log line, and nothing else."""
    profiler = Profiler(rate=500, budget=0.5)
    profiler.start()
    assert profiler._run is not None
    whole, failing = profiler._run.sampler.look_at_threads, [True]

    def broken(elapsed: int) -> None:
        if failing:
            failing.clear()
            raise RuntimeError("no")
        whole(elapsed)

    profiler._run.sampler.look_at_threads = broken  # type: ignore[method-assign]
    found = until(profiler, seen(10), hot)
    assert found.sampling is not None
    assert found.sampling.failed == 1
    assert "1 looks failed; the log has the first" in found.sampling.doubts()
    assert [record.message for record in caplog.records] == ["a look of the profiler failed; it goes on"]


def test_a_capture_is_what_happened_meanwhile(parked: threading.Event) -> None:
    """As evidence: it starts and stops by itself, and the thread that waits for it is not in it."""

    def busy() -> None:
        while not parked.is_set():
            hot()

    threading.Thread(target=busy).start()
    profiler = Profiler(rate=500, budget=0.5)
    found = profiler.capture(0.1)
    while not found.share("busy"):  # a busy machine may let nobody look in a tenth of a second
        found = profiler.capture(0.1)
    assert not profiler.running
    assert found.only(group="MainThread").stacks == {}


def test_a_capture_of_a_running_profiler_leaves_it_running(parked: threading.Event) -> None:
    """What it saw before is taken off, and goes on."""

    async def main() -> None:
        with Profiler(rate=500, budget=0.5) as profiler:
            while not seen(5)(profiler.profile()):
                hot()
            found = await profiler.capture_async(0.1)
            assert profiler.running
            whole = profiler.profile()
        assert found.seconds < whole.seconds
        assert all(min(values) >= 0 for values in found.stacks.values())

    asyncio.run(main())


def test_misuse_is_told() -> None:
    """Twice started, never started, out of range."""
    profiler = Profiler()
    with pytest.raises(ConfigError) as caught:
        profiler.stop()
    assert str(caught.value) == "this profiler was never started; start() it, or use it in with"
    with profiler:
        with pytest.raises(ConfigError) as caught:
            profiler.start()
        assert str(caught.value) == "this profiler runs already; stop() it first, or make another"
    assert profiler.stop() == profiler.profile()
    with pytest.raises(ConfigError) as caught:
        Profiler(rate=0)
    assert str(caught.value) == "rate must be 0.1 to 1000 samples/s, got 0; how often stacks are looked at"
    assert repr(profiler) == "<Profiler, 100 samples/s, budget 0.02, not running>"


def test_a_foreign_thread_is_seen() -> None:
    """A thread that threading does not know has a group of its own, and no processor time."""
    import _thread

    gate, done = _thread.allocate_lock(), _thread.allocate_lock()
    gate.acquire()
    done.acquire()

    def wait() -> None:
        gate.acquire()
        done.release()

    _thread.start_new_thread(wait, ())
    sampler = Sampler(ProfilerOptions(), [], Random(1))
    sampler.prime()
    while not any(stack.group == "(foreign thread)" for stack in sampler.table.counts):
        sampler.look_at_threads(10)
    gate.release()
    done.acquire()
    groups = {stack.group: count for stack, count in sampler.table.counts.items()}
    assert groups["(foreign thread)"].cpu == 0


def test_a_thread_that_did_not_run_is_not_walked_again(parked: threading.Event) -> None:
    """With its clock where it was, a thread counts where it stood; once the clock has moved, it is looked at."""
    thread = threading.Thread(target=parked.wait, name="still")
    thread.start()
    clocks = {_cpu.clock_of(thread.native_id or 0): 5}
    sampler = Sampler(ProfilerOptions(), [], Random(1), spent=lambda clock: clocks.get(clock, 0))
    sampler.look_at_threads(10)
    assert thread.ident is not None
    state = sampler.threads[thread.ident]
    if not _cpu.AVAILABLE:
        return
    planted = sampler.table.add("thread", "planted", [((lambda: 0).__code__, 0)], cut=False)
    state.count = planted
    sampler.look_at_threads(10)
    assert planted.samples == 1
    clocks[_cpu.clock_of(thread.native_id or 0)] = 6
    sampler.look_at_threads(10)
    assert planted.samples == 1


FORKED = """
import os, threading, time, warnings
warnings.simplefilter("ignore")
from seawall.observe.profiler import Profiler, StallDetector
def hot(): return sum(i * i for i in range(20_000))
profiler = Profiler(rate=500, budget=0.5)
profiler.start()
while profiler.profile().sampling.samples < 5: hot()
with profiler._lock:
    child = os.fork()
if not child:
    assert not profiler.running
    with profiler:
        while profiler.profile().sampling.samples < 5: hot()
    assert profiler.profile().share("hot") > 0.2
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
before = profiler.profile().sampling.samples
while profiler.profile().sampling.samples < before + 5: hot()
print("both ran")
"""


def test_a_forked_child_starts_its_own() -> None:
    """The child is not profiled until it asks, even when it was forked in the middle of a look; the parent goes on.

    The parent ends with its profiler running, as services do.
    """
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("both ran\n", "", 0)


def test_stacks_are_seen_where_they_are_and_not_at_system_calls() -> None:
    """Code that lets go of the interpreter now and then is not seen there more often than it is there.

    A sampler that waits for the interpreter gets it at the system call in almost every sample; it takes far under a
    tenth of the time.
    """

    def calling() -> None:
        time.sleep(0)  # noqa: TID251 - lets go of the interpreter, for no time

    def work() -> None:
        hot(100_000)
        calling()

    profiler = Profiler(rate=200, budget=0.5, tasks=False)
    profiler.start()
    found = until(profiler, seen(100), work).only(group="MainThread")
    assert found.share("calling") < 0.3
    assert isinstance(next(iter(found.stacks)), Stack)
