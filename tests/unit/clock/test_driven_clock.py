"""A ManualClock that somebody else moves."""

from __future__ import annotations

import threading

import pytest

from seawall.clock import ManualClock


def test_a_jump_goes_to_the_first_moment_anybody_waits_for() -> None:
    """Nobody waits: the clock stands, and says so."""
    clock = ManualClock()
    assert (clock.next_ns, clock.jump(), clock.time()) == (None, False, 0)
    asleep = threading.Semaphore(0)
    with clock.driven(asleep.release):
        threads = [threading.Thread(target=clock.sleep, args=(seconds,)) for seconds in (7, 3)]
        for thread in threads:
            thread.start()
            asleep.acquire(timeout=10)
        assert clock.asleep() == {thread.ident for thread in threads}
        assert clock.next_ns == 3_000_000_000
        assert clock.jump()
        threads[1].join()
        assert (clock.time(), clock.asleep()) == (3, {threads[0].ident})
        assert clock.jump()
        threads[0].join()
    assert (clock.time(), clock.asleep()) == (7, frozenset())


def test_a_woken_thread_is_not_asleep_though_it_has_not_run_yet() -> None:
    """Whoever drives the clock must not move it twice for one sleeper."""
    clock, woken, go_on = ManualClock(), threading.Event(), threading.Event()
    asleep = threading.Semaphore(0)

    def sleeper() -> None:
        clock.sleep(1)
        woken.set()
        go_on.wait(10)

    with clock.driven(asleep.release):
        thread = threading.Thread(target=sleeper)
        thread.start()
        asleep.acquire(timeout=10)
        clock.jump()
        assert clock.asleep() == frozenset()
        woken.wait(10)
        assert clock.asleep() == frozenset()
        go_on.set()
        thread.join()


def test_a_clock_has_one_driver_at_a_time() -> None:
    """A second one is refused; afterwards the clock is free again."""
    clock = ManualClock()
    with clock.driven(lambda: None):
        with pytest.raises(RuntimeError) as caught:
            clock.driven(lambda: None).__enter__()
        assert str(caught.value) == (
            "this clock is driven by a loop or by run_threads already; give each its own clock"
        )
    with clock.driven(lambda: None):
        pass


def test_a_driver_that_sleeps_itself_moves_the_clock() -> None:
    """Nobody else would."""
    clock = ManualClock()
    with clock.driven(lambda: None):
        clock.sleep(5)
    assert clock.time() == 5
