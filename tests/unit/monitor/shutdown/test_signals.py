"""Signals that a process gets, told to a thread."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from seawall.monitor.shutdown._signals import SignalListener


@pytest.fixture
def before() -> Iterator[list[int]]:
    """What handled SIGUSR1 before writes down what it gets."""
    got: list[int] = []
    old = signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    yield got
    signal.signal(signal.SIGUSR1, old)


@pytest.fixture
def listener(before: list[int]) -> Iterator[tuple[SignalListener, SimpleQueue[int]]]:
    """A listener of SIGUSR1, and what it tells."""
    told: SimpleQueue[int] = SimpleQueue()
    listener = SignalListener(told.put)
    listener.install([signal.SIGUSR1])
    yield listener, told
    listener.uninstall()


def test_each_signal_is_told_and_the_third_does_what_it_always_did(listener: Any, before: list[int]) -> None:
    """Nobody has to look for kill -9."""
    _, told = listener
    for _ in range(3):
        signal.raise_signal(signal.SIGUSR1)
    assert [told.get(timeout=30) for _ in range(2)] == [signal.SIGUSR1] * 2
    assert before == [signal.SIGUSR1]


def test_what_handled_a_signal_before_is_given_it_when_it_is_passed_on(listener: Any, before: list[int]) -> None:
    """And from then on at once."""
    listening, told = listener
    signal.raise_signal(signal.SIGUSR1)
    assert before == []
    assert listening.pass_on(signal.SIGUSR1)
    assert before == [signal.SIGUSR1]
    signal.raise_signal(signal.SIGUSR1)
    assert before == [signal.SIGUSR1] * 2
    assert [told.get(timeout=30) for _ in range(2)] == [signal.SIGUSR1] * 2


def test_afterwards_the_handlers_are_those_from_before(before: list[int]) -> None:
    """However often it was installed; but not where somebody else has taken over since."""
    old = signal.getsignal(signal.SIGUSR1)
    listener = SignalListener(print)
    for _ in range(2):
        listener.install([signal.SIGUSR1])
    listener.uninstall()
    assert signal.getsignal(signal.SIGUSR1) is old
    listener.install([signal.SIGUSR1])
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    listener.uninstall()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN


def test_pythons_own_handlers_are_not_passed_anything() -> None:
    """A KeyboardInterrupt in the middle of an orderly end would spoil it."""
    listener = SignalListener(print)
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        listener.install([signal.SIGINT])
        assert not listener.pass_on(signal.SIGINT)
        assert not listener.pass_on(signal.SIGUSR2)
        listener.uninstall()
    finally:
        signal.signal(signal.SIGINT, old)
