"""A fork in the middle of use."""

import multiprocessing
import os
import threading

import pytest

import seawall as sw
from seawall.memory import Segment

FORK = multiprocessing.get_context("fork")


def in_child(body):
    """Run `body` in a forked child; its return value as a byte."""
    reading, writing = os.pipe()
    child = FORK.Process(target=lambda: os.write(writing, bytes([int(body())])))
    child.start()
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read()
    child.join()
    assert child.exitcode == 0
    return answer[0]


def test_a_child_goes_on_with_the_limits_it_inherited(segment_name):
    """What the child takes is missing in the parent, and the other way round."""
    limit = sw.TokenBucket(1, per=3600, burst=10, shared=segment_name)
    limit.acquire(2)
    assert in_child(lambda: limit.try_acquire(3)) == 1
    assert limit.peek().remaining == 5
    assert in_child(lambda: limit.peek().remaining) == 5


def test_a_child_can_make_slots_and_change_limits(segment_name):
    """Locks are not inherited: the child takes them as its own while the parent lives."""
    limit = sw.TokenBucket(1, per=3600, burst=10, shared=segment_name)

    def body():
        limit.reconfigure(1, per=3600, burst=20)
        return sw.TokenBucket(1, per=3600, burst=5, shared=limit.segment, name="child's").try_acquire(4)

    assert in_child(body) == 1
    assert limit.limit == 20
    assert sw.TokenBucket(1, per=3600, burst=5, shared=segment_name, name="child's").peek().remaining == 1


def test_a_permit_made_before_the_fork_is_cancelled_in_the_child(segment_name):
    """A place is given back to the shared state, wherever its permit is."""
    limit = sw.TokenBucket(1, per=3600, burst=10, shared=segment_name)
    permit = limit.reserve(4)
    assert in_child(permit.cancel) == 1
    assert limit.peek().remaining == 10


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # it is what is tested
def test_a_fork_while_threads_change_the_segment_leaves_the_child_free(segment_name):
    """A child forked while a thread of the parent makes slots can make slots itself."""
    segment = Segment(segment_name, size=8 * 1024 * 1024)
    stop = threading.Event()

    def body():
        i = 0
        while not stop.is_set():
            sw.TokenBucket(1, shared=segment, name=f"parent {i % 500}", on_conflict="adopt").reconfigure(2 + i)
            i += 1

    thread = threading.Thread(target=body)
    thread.start()
    try:
        made = [
            in_child(lambda i=i: sw.TokenBucket(1, shared=segment, name=f"child {i}").try_acquire()) for i in range(10)
        ]
    finally:
        stop.set()
        thread.join()
    assert made == [1] * 10


def test_a_private_limit_is_copied_by_a_fork():
    """Without a segment, parent and child have a limit each."""
    limit = sw.TokenBucket(1, per=3600, burst=1)
    assert in_child(limit.try_acquire) == 1
    assert limit.try_acquire()
