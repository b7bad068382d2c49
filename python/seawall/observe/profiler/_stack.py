"""What was seen where: frames, the stacks they make, and what is counted for each."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Frame(NamedTuple):
    """A line of a function.

    Args:
        function: Its qualified name.
        file: The file as the interpreter knows it; empty where there is none.
        line: The line that ran; 0 where none is known.
        first_line: Where the function begins.
    """

    function: str
    file: str = ""
    line: int = 0
    first_line: int = 0


Sort = Literal["thread", "task", "memory"]


class Stack(NamedTuple):
    """Where something was, from the outermost function to the innermost.

    Args:
        sort: A thread, a suspended task, or memory that is held.
        group: The thread's name; numbers in it stand as `*` unless threads are told apart.
        frames: Outermost first.
    """

    sort: Sort
    group: str
    frames: tuple[Frame, ...]


class Kind(NamedTuple):
    """One of the numbers that a profile has for each stack.

    Args:
        name: `samples`, `wall`, `cpu`, `waiting`; `objects` and `space` for memory.
        unit: `count`, `nanoseconds` or `bytes`.
    """

    name: str
    unit: str


SAMPLES = Kind("samples", "count")
WALL = Kind("wall", "nanoseconds")
CPU = Kind("cpu", "nanoseconds")
WAITING = Kind("waiting", "nanoseconds")
OBJECTS = Kind("objects", "count")
SPACE = Kind("space", "bytes")

OTHER = Frame("(stacks beyond the limit)")
DEEPER = Frame("(outer frames beyond the limit)")
