"""Exact totals when processes share a limit, killed and forked ones included."""

import multiprocessing
import os
import signal

import pytest
from tests.oracles.pairs import NAMES

import seawall as sw
from seawall.memory import Segment

FORK = multiprocessing.get_context("fork")
SIZE = 1024 * 1024
LIMIT = 2000
LONG = 10_000_000
KEYS, EACH, SINGLE = 50, 20, 255


def shared(name, segment_name, limit=LIMIT, slot=None):
    """A limit that does not refill while a test runs."""
    common = {"shared": segment_name, "on_conflict": "adopt", "name": slot}
    if name == "token_bucket":
        return sw.TokenBucket(1, per=LONG / limit, burst=limit, **common)
    if name == "leaky_bucket":
        return sw.LeakyBucket(1, per=LONG / limit, capacity=limit, **common)
    kind = {"fixed_window": sw.FixedWindow, "sliding_window": sw.SlidingWindow, "sliding_log": sw.SlidingLog}[name]
    return kind(limit, window=LONG * 10, **common)


def ask(name, segment_name, barrier, answers):
    """Ask for half the limit by single calls, and for ten keys, from a process of its own."""
    limit = shared(name, segment_name)
    keyed = limit.keyed(max_keys=20)
    barrier.wait()
    single = sum(limit.try_acquire() for _ in range(LIMIT // 2))
    by_key = [sum(keyed.try_acquire(key, LIMIT // 10) for _ in range(10)) for key in range(10)]
    answers.put((single, by_key))


@pytest.mark.parametrize(("name", "method"), [*((name, "fork") for name in NAMES), ("token_bucket", "spawn")])
def test_processes_get_exactly_the_limit(segment_name, name, method):
    """Four processes that ask for twice the limit get all of it and nothing more, and the same for every key."""
    segment = Segment(segment_name, size=8 * SIZE)
    context = multiprocessing.get_context(method)
    barrier, answers = context.Barrier(4), context.SimpleQueue()
    workers = [context.Process(target=ask, args=(name, segment_name, barrier, answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    got = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    one = name == "leaky_bucket"
    assert sum(single for single, _ in got) == (1 if one else LIMIT)
    assert [sum(each) for each in zip(*(by_key for _, by_key in got), strict=True)] == [1 if one else 10] * 10
    assert [slot.name for slot in segment.describe()] == [name, f"{name}/keyed"]


def take_until_killed(limit, keyed, told):
    """Take for ever, single and by key, telling each admission by a byte; make slots in between."""
    i = 0
    while True:
        if limit.try_acquire():
            os.write(told, bytes([SINGLE]))
        if keyed.try_acquire(i % KEYS):
            os.write(told, bytes([i % KEYS]))
        if i % 20 == 0:
            sw.TokenBucket(1, shared=limit.segment, name=f"slot {os.getpid()} {i % 400}")
        i += 1


@pytest.mark.parametrize("name", [name for name in NAMES if name != "leaky_bucket"])
def test_killed_processes_never_make_more_than_the_limit(segment_name, name):
    """Workers killed again and again in the middle of taking leave an exact limit, and the segment works on."""
    segment = Segment(segment_name, size=32 * SIZE)
    limit, keyed = shared(name, segment_name), shared(name, segment_name, EACH, "by key").keyed(max_keys=100)
    reading, writing = os.pipe()
    told = bytearray()
    rounds = 15
    for _ in range(rounds):
        workers = [FORK.Process(target=take_until_killed, args=(limit, keyed, writing)) for _ in range(2)]
        for worker in workers:
            worker.start()
        told += os.read(reading, 50)
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
        for worker in workers:
            worker.join()
        limit.reconfigure(*((1,) if name == "token_bucket" else (LIMIT,)), **period(name))
    os.close(writing)
    while rest := os.read(reading, 65536):
        told += rest
    os.close(reading)
    assert told.count(SINGLE) >= 1
    total = told.count(SINGLE) + sum(limit.try_acquire() for _ in range(LIMIT + 10))
    by_key = [told.count(key) + sum(keyed.try_acquire(key) for _ in range(EACH + 5)) for key in range(KEYS)]
    # A worker may have died between an admission and telling of it; a log may have kept a place for it.
    assert LIMIT - 2 * rounds <= total <= LIMIT
    assert KEYS * EACH - 2 * rounds <= sum(by_key)
    assert max(by_key) <= EACH
    assert sw.TokenBucket(1, shared=segment, name="after").try_acquire()


def period(name):
    """The options of `shared`, for a reconfigure that changes nothing but the epoch."""
    return {"per": LONG / LIMIT, "burst": LIMIT} if name == "token_bucket" else {"window": LONG * 10}


def work(segment_name, told):
    """Take two hundred places from a process that nobody kills."""
    limit = shared("token_bucket", segment_name)
    os.write(told, bytes([sum(limit.try_acquire() for _ in range(200))]))


def test_survivors_go_on_while_others_are_killed(segment_name):
    """Processes that nobody kills get their places though their neighbours die at any instruction."""
    Segment(segment_name, size=32 * SIZE)
    limit = shared("token_bucket", segment_name, 1_000_000)
    keyed = limit.keyed(max_keys=100)
    reading, writing = os.pipe()
    taken, ignored = os.pipe()
    survivors = [FORK.Process(target=work, args=(segment_name, writing)) for _ in range(2)]
    doomed = [FORK.Process(target=take_until_killed, args=(limit, keyed, ignored)) for _ in range(4)]
    for process in (*doomed, *survivors):
        process.start()
    for process in doomed:
        os.read(taken, 20)
        os.kill(process.pid, signal.SIGKILL)
    for process in (*doomed, *survivors):
        process.join()
    assert [os.read(reading, 1)[0] for _ in survivors] == [200, 200]
    assert [process.exitcode for process in survivors] == [0, 0]
    for end in (reading, writing, taken, ignored):
        os.close(end)


def test_a_fork_in_the_middle_of_use_shares_what_is_left(segment_name):
    """A parent that takes while its children take gets, with them, exactly the limit."""
    Segment(segment_name, size=SIZE)
    limit = shared("token_bucket", segment_name)
    answers = FORK.SimpleQueue()
    got = sum(limit.try_acquire() for _ in range(100))
    children = [
        FORK.Process(target=lambda: answers.put(sum(limit.try_acquire() for _ in range(LIMIT)))) for _ in range(3)
    ]
    for child in children:
        child.start()
        got += sum(limit.try_acquire() for _ in range(100))
    got += sum(answers.get() for _ in children)
    for child in children:
        child.join()
    assert got + sum(limit.try_acquire() for _ in range(LIMIT)) == LIMIT
    assert limit.stats().admitted == LIMIT
