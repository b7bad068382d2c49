"""Stacks as a tree of functions, small enough for a page."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from seawall.observe.profiler._profile import Profile
from seawall.observe.profiler._stack import Frame

_MOST_NODES = 20_000
_SMALLEST = 2e-4
_LINES = 3
_PYTHON = tuple(filter(None, (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))))
_LIBRARY = ("/site-packages/", "/dist-packages/")

Name = tuple[str, str, int]


@dataclass(slots=True)
class Node:
    """A function where it was called from.

    Args:
        name: Function, file and the line it begins at; of a root, its group and sort.
        values: What was counted in it and below it.
        before: The same of an earlier profile.
        lines: How much of the first of `values` each of its lines has.
        children: What it called.
    """

    name: Name
    values: list[float]
    before: list[float]
    lines: dict[int, float] = field(default_factory=dict)
    children: dict[Name, Node] = field(default_factory=dict)


def tree(after: Profile, before: Profile | None, rows: Sequence[tuple[int, int | None]], main: int) -> Node:
    """The tree of all stacks.

    Args:
        after: What is drawn.
        before: What it is compared with.
        rows: For each number of a node, which of a stack's numbers it is, and which is taken off.
        main: Which of them lines are told by.
    """
    root = Node(("", "", 0), [0.0] * len(rows), [0.0] * len(rows))
    scale = 1.0
    if before is not None:
        then, now = before.diff(before).scales[0], after.diff(after).scales[0]
        scale = then / now
    for profile, factor, side in ((after, 1.0, 0), (before, scale, 1)):
        for stack, values in profile.stacks.items() if profile is not None else ():
            shown = [(values[i] - (values[off] if off is not None else 0)) * factor for i, off in rows]
            if any(shown):
                group = Frame(stack.group, stack.sort)
                _add(root, (group, *stack.frames), shown, side, main)
    return root


def _add(root: Node, path: Sequence[Frame], values: list[float], side: int, main: int) -> None:
    node = root
    _count(node, values, side)
    for frame in path:
        name = (frame.function, frame.file, frame.first_line)
        child = node.children.get(name)
        if child is None:
            child = node.children[name] = Node(name, [0.0] * len(values), [0.0] * len(values))
        node = child
        _count(node, values, side)
        if not side and frame.line:
            node.lines[frame.line] = node.lines.get(frame.line, 0.0) + values[main]


def _count(node: Node, values: list[float], side: int) -> None:
    sums = node.before if side else node.values
    for i, value in enumerate(values):
        sums[i] += value


def flat(root: Node) -> tuple[list[dict[str, object]], list[list[object]], int]:
    """The tree for a page: nodes in order with parents first, the names they refer to, and how many were left out.

    At most 20,000 nodes: what is smaller than a five-thousandth is left out, or more where there are more. What is left
    out still counts for its parents.
    """
    least = _SMALLEST
    while sum(1 for _ in _large(root, least)) > _MOST_NODES:
        least *= 2
    names: dict[Name, int] = {}
    nodes: list[dict[str, object]] = []
    placed: dict[int, int] = {}
    for node, parent in _large(root, least):
        placed[id(node)] = len(nodes)
        told: dict[str, object] = {
            "p": -1 if parent is None else placed[id(parent)],
            "n": names.setdefault(node.name, len(names)),
            "v": [round(value) for value in node.values],
        }
        if any(root.before):
            told["b"] = [round(value) for value in node.before]
        if node.lines:
            told["l"] = sorted(node.lines.items(), key=lambda line: (-line[1], line[0]))[:_LINES]
        nodes.append(told)
    left_out = sum(1 for _ in _large(root, 0.0)) - len(nodes)
    return nodes, [[*name, origin(name[1])] for name in names], left_out


def _large(root: Node, least: float) -> Iterator[tuple[Node, Node | None]]:
    floors = [(total * least, then * least) for total, then in zip(root.values, root.before, strict=True)]
    waiting: list[tuple[Node, Node | None]] = [(root, None)]
    while waiting:
        node, parent = waiting.pop()
        yield node, parent
        for _, child in sorted(node.children.items(), reverse=True):
            pairs = zip(child.values, child.before, floors, strict=True)
            if any((v and v >= low) or (b and b >= lowest) for v, b, (low, lowest) in pairs):
                waiting.append((child, node))


def origin(file: str) -> int:
    """Whose code a file is: 0 the service's own, 1 a library's, 2 Python's."""
    if any(part in file for part in _LIBRARY):
        return 1
    return 2 if file.startswith(("<frozen", *_PYTHON)) or not file else 0


def short(file: str) -> str:
    """A file without the folder that all of Python's, or all libraries', are in."""
    for part in _LIBRARY:
        if part in file:
            return file.rpartition(part)[2]
    inside = next((folder for folder in _PYTHON if file.startswith(folder + "/")), None)
    return file if inside is None else file[len(inside) + 1 :]
