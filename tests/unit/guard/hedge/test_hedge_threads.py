"""A hedge on plain functions: they run in threads, and who lost runs to its end with nobody waiting."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock

PAID: dict[str, Any] = {"idempotent": True, "budget": None}
SOON = 0.01


class Blocking:
    """A plain function whose first call hangs until it is let go."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.left = threading.Event()
        self.calls: list[int] = []

    def ask(self) -> str:
        """The first call waits for the gate."""
        self.calls.append(threading.get_ident())
        if len(self.calls) > 1:
            return "copy"
        self.gate.wait(60)
        return "first"


def test_a_call_that_takes_long_is_made_again_in_another_thread() -> None:
    """The answer is the copy's; the loser runs to its end, and what it answers is discarded."""
    blocking, lost = Blocking(), []
    discarded = threading.Event()

    def discard(result: str) -> None:
        lost.append(result)
        discarded.set()

    hedge = sw.Hedge(SOON, **PAID, discard=discard)
    assert hedge.call(blocking.ask) == "copy"
    assert len(set(blocking.calls)) == 2
    assert threading.get_ident() not in blocking.calls
    stats = hedge.stats()
    assert (stats.hedged, stats.won_by_copy, stats.running) == (1, 1, 1)
    blocking.gate.set()
    assert discarded.wait(60)
    assert lost == ["first"]
    assert hedge.stats().running == 0


def test_errors_pass_and_the_first_ones_is_raised() -> None:
    """A call that fails before its time fails; when all copies fail, a note tells of the others."""
    gate = threading.Event()
    count = iter(range(10))

    def fail_slowly() -> None:
        if next(count):
            gate.set()
            raise ValueError("nonsense")
        gate.wait(60)
        raise OSError("lost")

    def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match=r"^'gone'$"):
        sw.Hedge(3600, **PAID).call(fail)
    with pytest.raises(OSError, match=r"^lost\n") as caught:
        sw.Hedge(SOON, **PAID, name="reads").call(fail_slowly)
    assert caught.value.__notes__ == ["reads: copy 1 of 2; copy 2: ValueError: nonsense"]


def test_the_callers_context_is_seen_in_all_copies() -> None:
    """Context variables, and the Deadline with them."""
    where = contextvars.ContextVar("where", default="nowhere")
    clock, seen, blocking = ManualClock(), [], Blocking()

    def work() -> str:
        seen.append((where.get(), sw.Deadline.current() is deadline))
        return blocking.ask()

    where.set("caller")
    with sw.Deadline(60, clock=clock) as deadline:
        assert sw.Hedge(SOON, **PAID).call(work) == "copy"
    blocking.gate.set()
    assert seen == [("caller", True)] * 2


def test_where_no_thread_is_free_the_call_runs_in_its_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losers that hang take threads; at the bound calls are made without a copy, and none waits or is refused."""
    blocking, other = Blocking(), Blocking()
    hedge = sw.Hedge(SOON, **PAID, max_threads=2)
    count = sw.Hedge._count_crowded

    def crowded(hedge: sw.Hedge) -> None:
        count(hedge)
        other.gate.set()

    monkeypatch.setattr(sw.Hedge, "_count_crowded", crowded)
    assert hedge.call(blocking.ask) == "copy"  # its loser holds one thread
    assert hedge.call(other.ask) == "first"  # there was no thread for its copy
    assert len(other.calls) == 1
    assert (hedge.stats().crowded, hedge.stats().running) == (1, 1)
    hedge._running = 2
    assert hedge.call(threading.get_ident) == threading.get_ident()
    assert hedge.stats().crowded == 2
    hedge._running = 1
    blocking.gate.set()


def test_nobody_waits_for_a_thread_in_shadow_or_before_enough_is_known() -> None:
    """Such calls run where they were made."""
    here = threading.get_ident()
    assert sw.Hedge(SOON, **PAID, shadow=True).call(threading.get_ident) == here
    assert sw.Hedge(sw.Quantile(0.95), **PAID).call(threading.get_ident) == here
    assert sw.Hedge(SOON, idempotent=lambda: False).call(threading.get_ident) == here


def test_up_to_max_copies_run_at_once() -> None:
    """Each after the one before; the last wins here."""
    gate, count = threading.Event(), iter(range(10))

    def ask() -> int:
        number = next(count)
        if number < 3:
            gate.wait(60)
        return number

    hedge = sw.Hedge(SOON, **PAID, max_copies=4)
    assert hedge.call(ask) == 3
    gate.set()
    assert hedge.stats().hedged == 3


def test_an_exception_that_stops_the_interpreter_is_passed_on() -> None:
    """SystemExit of the callee ends the call as it would without a hedge."""

    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit) as caught:
        sw.Hedge(3600, **PAID).call(leave)
    assert caught.value.code == 3
