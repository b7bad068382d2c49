"""Which lock a thread waits for, and which locks it holds, read off its frames and its source.

A plain lock does not know its owner. But a frame that stands inside `with lock:` holds that lock, or waits for it where
it stands at the `with` itself; names in the source are looked up in the frame, without running anybody's code. What is
locked by `lock.acquire()` alone has a known owner only where the lock is reentrant, whose repr tells it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import re
from types import FrameType
from typing import Any, NamedTuple

_LOCK_KINDS = ("lock", "RLock", "Condition")
_OWNER = re.compile(r"owner=(\d+)")
_NOTHING = object()
# Events, queues and conditions wait by locks of their own, which are nobody's.
_THEIR_OWN = ("/threading.py", "/queue.py")


class Lock(NamedTuple):
    """A lock, and how the source calls it."""

    lock: Any
    name: str


def waits_for(frame: FrameType) -> Lock | None:
    """The lock that the innermost frame of a thread stands still at; None where none is known."""
    if frame.f_code.co_filename.replace("\\", "/").endswith(_THEIR_OWN):
        return None
    waiting = [item for item in _entering(frame) if _is_lock(item.lock)]
    # Of `with a, b:` those before the one that is waited for are held already, by this very thread.
    locked = [item for item in waiting if _is_locked(item.lock)]
    return locked[-1] if locked else None


def holds(frames: list[FrameType]) -> list[Lock]:
    """The locks that frames of a thread are inside of, by `with`."""
    return [item for frame in frames for item in _inside(frame) if _is_lock(item.lock)]


def owner_of(lock: Any) -> int | None:
    """The thread that a reentrant lock says it belongs to."""
    found = _OWNER.search(repr(_inner(lock))) if _is_lock(lock) else None
    return int(found[1]) if found and found[1] != "0" else None


def same(a: Any, b: Any) -> bool:
    """Whether two are one lock; a condition is its lock."""
    return _inner(a) is _inner(b)


def _inner(lock: Any) -> Any:
    return getattr(lock, "_lock", lock) if type(lock).__name__ == "Condition" else lock


def _is_lock(value: Any) -> bool:
    kind = type(value)
    return kind.__module__ in ("_thread", "threading") and kind.__name__ in _LOCK_KINDS


def _is_locked(lock: Any) -> bool:
    return repr(_inner(lock)).startswith("<locked")


def _entering(frame: FrameType) -> list[Lock]:
    """What a frame is at the point of locking, on its present line."""
    found = []
    for node in _nodes(frame):
        if isinstance(node, ast.With):
            items = [item.context_expr for item in node.items if _covers(item.context_expr, frame.f_lineno)]
            found += [_named(expression, frame) for expression in items]
        elif _is_acquire(node) and _covers(node, frame.f_lineno):
            found.append(_named(node.func.value, frame))  # type: ignore[attr-defined]  # a call of an attribute
    return [item for item in found if item.lock is not _NOTHING]


def _inside(frame: FrameType) -> list[Lock]:
    """What a frame has locked by a `with` that it is in the body of."""
    found = []
    for node in _nodes(frame):
        if isinstance(node, ast.With) and node.body[0].lineno <= frame.f_lineno <= (node.end_lineno or node.lineno):
            if node.body[0].lineno == node.lineno == frame.f_lineno:
                continue  # all on one line: inside or at the door, nobody can tell
            found += [_named(item.context_expr, frame) for item in node.items]
    return [item for item in found if item.lock is not _NOTHING]


def _covers(node: ast.AST, line: int) -> bool:
    return bool(node.lineno <= line <= node.end_lineno)  # type: ignore[attr-defined]  # what is parsed has lines


def _is_acquire(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "acquire"


def _named(node: ast.expr, frame: FrameType) -> Lock:
    return Lock(_look_up(node, frame), ast.unparse(node))


def _look_up(node: ast.expr, frame: FrameType) -> Any:
    """The value of a name or of attributes of it; runs no property and no `__getattr__`."""
    if isinstance(node, ast.Name):
        spaces = (frame.f_locals, frame.f_globals)
        return next((space[node.id] for space in spaces if node.id in space), _NOTHING)
    if isinstance(node, ast.Attribute):
        owner = _look_up(node.value, frame)
        if owner is _NOTHING:
            return _NOTHING
        name = node.attr
        if name.startswith("__") and not name.endswith("__") and "." in frame.f_code.co_qualname:
            name = f"_{frame.f_code.co_qualname.split('.')[-2].lstrip('_')}{name}"
        value = inspect.getattr_static(owner, name, _NOTHING)
        # Of a slot there is only the descriptor, whose reading runs no code of anybody either.
        return value.__get__(owner) if inspect.ismemberdescriptor(value) else value
    return _NOTHING


def _nodes(frame: FrameType) -> list[ast.AST]:
    """The `with` statements and acquiring calls of the function that a frame runs."""
    code = frame.f_code
    every = _of_file(code.co_filename, len(linecache.getlines(code.co_filename, frame.f_globals)))
    last = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    return [node for node in every if code.co_firstlineno <= node.lineno <= last]  # type: ignore[attr-defined]


@functools.lru_cache(maxsize=64)
def _of_file(path: str, lines: int) -> tuple[ast.AST, ...]:  # noqa: ARG001 - a file that has changed is read anew
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return ()
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.With) or _is_acquire(node))
