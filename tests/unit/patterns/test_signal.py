"""Signals: order, isolation, weakness, and coroutines as receivers."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from typing import Any

import pytest

from seawall.errors import ConfigError
from seawall.patterns import Signal, SignalFailure


def failing(event: Any) -> None:
    """A receiver that fails."""
    raise ValueError(f"cannot use {event}")


class Listener:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on(self, event: Any) -> None:
        self.heard.append(event)


def test_receivers_are_called_in_the_order_they_were_connected() -> None:
    """Whoever connects first hears first."""
    signal = Signal("s", int)
    order: list[str] = []
    for name in "abc":
        signal.connect(lambda _, name=name: order.append(name))
    signal.send(1)
    assert order == ["a", "b", "c"]


def test_a_signal_is_true_only_while_somebody_listens() -> None:
    """`if signal:` tells whether an event is worth building."""
    signal = Signal("s", int)
    assert not signal
    with signal.connect(print) as connection:
        assert signal
        assert connection.connected
    assert not signal
    assert not connection.connected
    assert repr(connection) == "<Connection of print to s, closed>"
    assert repr(signal) == "<Signal s of int: 0 connected>"


def test_connect_decorates() -> None:
    """A decorated function can still be called, and its connection closed."""
    signal = Signal("s", int)

    @signal.connect
    def double(event: int) -> int:
        return 2 * event

    assert double(4) == 8
    double.close()
    double.close()
    assert not signal


def test_disconnect_ends_all_ties_of_a_receiver_and_says_whether_there_was_one() -> None:
    """A bound method is found again although each access makes a new object."""
    signal, listener = Signal("s", int), Listener()
    signal.connect(listener.on)
    signal.connect(listener.on)
    signal.send(1)
    assert listener.heard == [1, 1]
    assert signal.disconnect(listener.on)
    assert not signal.disconnect(listener.on)
    assert not signal


def test_another_objects_method_is_not_disconnected() -> None:
    """The same method of another object is another receiver."""
    signal, listener = Signal("s", int), Listener()
    signal.connect(listener.on)
    assert not signal.disconnect(Listener().on)
    assert signal.receivers == 1


def test_a_weak_method_does_not_keep_its_object() -> None:
    """When the object dies, its receiver is gone at once and the signal is quiet."""
    signal, listener = Signal("s", int), Listener()
    connection = signal.connect(listener.on, weak=True)
    signal.send(1)
    assert listener.heard == [1]
    del listener
    gc.collect()
    assert not signal
    assert not connection.connected
    signal.send(2)
    with pytest.raises(ReferenceError, match=r"^the receiver Listener.on was held weakly and is gone$"):
        connection(3)


def test_a_strong_method_keeps_its_object() -> None:
    """By default a receiver lives as long as its connection."""
    signal = Signal("s", int)
    signal.connect(Listener().on)
    gc.collect()
    assert signal.receivers == 1


def test_what_cannot_be_held_weakly_is_refused() -> None:
    """Built-in functions of some types have no weak references."""
    signal = Signal("s", int)

    class Slotted:
        __slots__ = ()

        def __call__(self, event: int) -> None: ...

    with pytest.raises(
        ConfigError,
        match=r"^a receiver of type .*Slotted cannot be held weakly by signal s; connect it with weak=False$",
    ):
        signal.connect(Slotted(), weak=True)


def test_what_cannot_be_called_is_refused() -> None:
    """A receiver must be callable."""
    with pytest.raises(ConfigError, match=r"^a receiver of signal s must be callable, got 7$"):
        Signal("s", int).connect(7)  # type: ignore[arg-type]


def test_a_failing_receiver_keeps_nobody_from_hearing() -> None:
    """The sender does not notice, the others are called, the hook is told everything."""
    failures: list[SignalFailure] = []
    signal, listener = Signal("s", int, on_failure=failures.append), Listener()
    signal.connect(failing)
    signal.connect(listener.on)
    signal.send(1)
    signal.send(2)
    assert listener.heard == [1, 2]
    assert signal.failures == 2
    assert [(f.signal, f.receiver, f.event, str(f.error), f.count) for f in failures] == [
        ("s", "failing", 1, "cannot use 1", 1),
        ("s", "failing", 2, "cannot use 2", 2),
    ]


def test_failures_are_logged_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    """Each receiver's first failure and then every power of two is logged, with traceback."""
    signal = Signal("s", int)
    signal.connect(failing)
    for event in range(20):
        signal.send(event)
    assert [(r.name, r.levelno, r.getMessage()) for r in caplog.records] == [
        ("seawall", logging.ERROR, f"receiver failing of signal s failed ({count} so far)")
        for count in (1, 2, 4, 8, 16)
    ]
    assert "ValueError: cannot use 0" in caplog.text
    assert signal.failures == 20


def test_a_failing_hook_does_not_fail_the_sender(caplog: pytest.LogCaptureFixture) -> None:
    """What the hook raises is logged in its place."""
    signal = Signal("s", int, on_failure=failing)
    signal.connect(failing)
    signal.send(1)
    assert [r.getMessage() for r in caplog.records] == ["receiver on_failure of signal s failed (1 so far)"]


def test_interrupts_are_not_caught() -> None:
    """KeyboardInterrupt in a receiver reaches the sender."""
    signal = Signal("s", int)

    @signal.connect
    def interrupt(event: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        signal.send(1)


def test_a_change_during_a_send_is_for_the_next_one() -> None:
    """Who connects while an event is sent hears the next event first."""
    signal, listener = Signal("s", int), Listener()

    @signal.connect
    def once(event: int) -> None:
        once.close()
        signal.connect(listener.on)

    signal.send(1)
    assert listener.heard == []
    signal.send(2)
    assert listener.heard == [2]


def test_a_strict_signal_refuses_other_events() -> None:
    """The message says what is sent and what was given."""
    signal = Signal("s", int, strict=True)
    signal.send(1)
    with pytest.raises(ConfigError, match=r"^signal s sends int, got str: 'one'$"):
        signal.send("one")  # type: ignore[arg-type]


async def test_a_strict_signal_refuses_other_events_asynchronously() -> None:
    """send_async checks like send."""
    with pytest.raises(ConfigError, match=r"^signal s sends int, got NoneType: None$"):
        await Signal("s", int, strict=True).send_async(None)  # type: ignore[arg-type]


async def test_send_async_awaits_coroutine_receivers_in_order() -> None:
    """Each receiver has finished before the next one is called, and one that fails stops nobody."""
    failures: list[SignalFailure] = []
    signal = Signal("s", int, on_failure=failures.append)
    order: list[str] = []

    async def slow(event: int) -> None:
        await asyncio.sleep(0)
        order.append("slow")

    async def broken(event: int) -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    signal.connect(slow)
    signal.connect(broken)
    signal.connect(lambda _: order.append("plain"))
    await signal.send_async(1)
    assert order == ["slow", "plain"]
    assert [(f.receiver.rpartition(".")[2], str(f.error)) for f in failures] == [("broken", "no")]


async def test_send_schedules_coroutine_receivers_on_the_running_loop() -> None:
    """A sync send inside a loop does not wait for them, and still reports their failures."""
    failures: list[SignalFailure] = []
    signal = Signal("s", int, on_failure=failures.append)
    heard, done = asyncio.Event(), asyncio.Event()

    async def receiver(event: int) -> None:
        heard.set()

    async def broken(event: int) -> None:
        done.set()
        raise ValueError("no")

    signal.connect(receiver)
    signal.connect(broken)
    signal.send(1)
    assert not heard.is_set()
    await heard.wait()
    await done.wait()
    await asyncio.sleep(0)
    assert [str(f.error) for f in failures] == ["no"]


async def test_a_scheduled_receiver_is_not_collected_while_it_waits() -> None:
    """The loop holds tasks weakly; the signal holds what it scheduled until it is done."""
    signal = Signal("s", int)
    waiting: list[weakref.ref[asyncio.Future[int]]] = []
    heard: list[int] = []

    async def receiver(event: int) -> None:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting.append(weakref.ref(future))
        heard.append(await future + event)

    signal.connect(receiver)
    signal.send(1)
    await asyncio.sleep(0)
    gc.collect()
    future = waiting[0]()
    assert future is not None
    future.set_result(1)
    del future
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert heard == [2]


def test_a_coroutine_receiver_without_a_loop_is_a_failure_with_a_way_out() -> None:
    """The coroutine is closed, so that nothing is left never awaited."""
    failures: list[SignalFailure] = []
    signal = Signal("s", int, on_failure=failures.append)

    async def receiver(event: int) -> None:
        raise AssertionError("must not run")

    receiver.__qualname__ = "receiver"
    signal.connect(receiver)
    signal.send(1)
    assert [str(f.error) for f in failures] == [
        "receiver receiver of signal s is asynchronous and no event loop runs here; "
        "await send_async(event), or connect a plain function"
    ]


def test_threads_may_connect_send_and_close_together() -> None:
    """A steady receiver hears every event while others come and go; in the end only it is left."""
    signal, heard = Signal("s", int), []
    lock = threading.Lock()

    def steady(event: int) -> None:
        with lock:
            heard.append(event)

    signal.connect(steady)
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        barrier.wait()
        for event in range(200):
            with signal.connect(lambda _: None):
                signal.send(number * 1000 + event)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == sorted(number * 1000 + event for number in range(4) for event in range(200))
    assert signal.receivers == 1


def test_failures_are_counted_exactly_by_threads() -> None:
    """No failure is lost between threads."""
    signal = Signal("s", int, on_failure=lambda _: None)
    signal.connect(failing)
    threads = [threading.Thread(target=lambda: [signal.send(i) for i in range(250)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert signal.failures == 1000


def test_a_dead_signal_does_not_live_on_in_its_weak_receivers() -> None:
    """The tie of a weak receiver holds no strong reference back to the signal."""
    signal, listener = Signal("s", int), Listener()
    connection = signal.connect(listener.on, weak=True)
    ref = weakref.ref(signal)
    del signal, connection
    gc.collect()
    assert ref() is None
    del listener
