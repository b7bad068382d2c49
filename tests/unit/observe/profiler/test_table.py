"""The table of stacks: keys that agree with the kernel's, and bounds that hold."""

from __future__ import annotations

import gc
import sys
import weakref
from types import CodeType, FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall._core.sampling import trace
from seawall.observe.profiler import _walk
from seawall.observe.profiler._stack import DEEPER, OTHER, Stack
from seawall.observe.profiler._table import StackTable, line_of, trace_of


def seen_by_python(frame: FrameType | None, most: int) -> tuple[list[tuple[CodeType, int]], bool]:
    """The slow, obvious walk."""
    found = []
    while frame is not None and len(found) < most:
        found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return found, frame is not None


def deep(n: int, most: int) -> None:
    """Compares both walks at this depth."""
    if n:
        deep(n - 1, most)
        return
    frame = sys._getframe()
    # In one expression: the instruction of this very frame is part of the key.
    told, (seen, cut) = trace(frame, most), seen_by_python(frame, most)
    again = trace_of([(seen[0][0], int.from_bytes(told[8:16], sys.byteorder, signed=True)), *seen[1:]], cut=cut)
    assert told == again
    assert len(told) == 8 * (2 * len(seen) + 1)


@given(n=st.integers(0, 120), most=st.integers(1, 200))
def test_the_kernel_walks_as_python_does(n: int, most: int) -> None:
    """The key of any depth and limit is what the obvious walk gives."""
    deep(n, most)


def test_only_frames_are_walked() -> None:
    """Anything else is refused before its memory is read."""
    with pytest.raises(TypeError, match=r"^frame must be a frame, got int$"):
        trace(1, 10)


def made(number: int) -> CodeType:
    """Code of its own."""
    return compile(f"x = {number}", f"<made {number}>", "exec")


def test_stacks_beyond_the_limit_count_together() -> None:
    """With room for three stacks, a hundred make four, and no sample is lost."""
    table = StackTable(3, 10)
    for number in range(100):
        count = table.add("thread", "MainThread", [(made(number), 0)], cut=False)
        count.samples += 1
    assert len(table.counts) == 4
    assert sum(count.samples for count in table.counts.values()) == 100
    assert table.counts[Stack("thread", "MainThread", (OTHER,))].samples == 97


def test_groups_are_bounded_too() -> None:
    """A thread name for every request cannot fill the memory."""
    table = StackTable(1, 10)
    for number in range(2_000):
        table.add("thread", f"request {number}", [(made(number), 0)], cut=False).samples += 1
    assert len(table.counts) <= 1 + 256 + 1
    assert sum(count.samples for count in table.counts.values()) == 2_000


def test_code_is_let_go_when_the_keys_are() -> None:
    """Code that is made again and again is held only as long as its address stands for it."""
    table = StackTable(1, 10)
    code = made(-1)
    gone = weakref.ref(code)
    table.add("thread", "t", [(code, 0)], cut=False)
    del code
    gc.collect()
    assert gone() is not None
    for number in range(4):
        table.add("thread", "t", [(made(number), 0)], cut=False)
    gc.collect()
    assert gone() is None


def test_instructions_of_one_line_are_one_stack() -> None:
    """Two places in a line are two keys and one stack."""
    code = compile("a = 1; b = 2\nc = 3", "<lines>", "exec")
    places = [begin for begin, _, line in code.co_lines() if line == 1]
    table = StackTable(10, 10)
    counts = {id(table.add("thread", "t", [(code, at)], cut=False)) for at in range(places[0], places[-1] + 1, 2)}
    assert len(counts) == 1
    assert line_of(code, 10_000) == code.co_firstlineno


def test_deep_recursion_keeps_its_inner_end() -> None:
    """Of a stack that is too deep, the innermost frames stay, below a frame that says so."""
    table = StackTable(10, 5)

    def down(n: int) -> None:
        if n:
            down(n - 1)
        else:
            _walk.thread(table, sys._getframe(), "t").samples += 1

    down(50)
    (found,) = [stack for stack, count in table.counts.items() if count.samples]
    assert found.frames[0] == DEEPER
    assert len(found.frames) == 6
    assert {frame.function.rpartition(".")[2] for frame in found.frames[1:]} == {"down"}
