"""Vector clocks as JSON, for stores and protocols that people read."""

from __future__ import annotations

import json
from typing import Any

from seawall.distributed.clocks._checks import checked_node
from seawall.distributed.clocks._pruning import MARK, Pruned
from seawall.errors import ConfigError

_MOST_COUNT, _MOST_MS = (1 << 63) - 1, (1 << 48) - 1


def to_text(entries: list[tuple[str, int, int]], pruned: Pruned) -> str:
    """`{"v": 1, "entries": {node: [count, ms]}}`, and `"pruned"` where something was."""
    made: dict[str, Any] = {"v": 1, "entries": {node: [count, at] for node, count, at in entries}}
    heads, marks, most = pruned
    if heads:
        texts = [marks[i : i + MARK].hex() for i in range(0, len(marks), MARK)]
        made["pruned"] = {"heads": texts[:heads], "marks": texts[heads:], "most": most}
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> tuple[list[tuple[bytes, int, int]], Pruned]:
    """Entries in order, and what was pruned; a ConfigError for anything else."""
    try:
        read = _known(json.loads(text))
        entries = sorted((checked_node(node).encode(), *_numbers(pair)) for node, pair in read["entries"].items())
        return entries, _pruned(read["pruned"]) if "pruned" in read else (0, b"", 0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError(
            f"this is not a vector clock in JSON, version 1: {error}; give what to_json() made"
        ) from error


def _known(read: Any) -> Any:
    if read["v"] != 1 or not read.keys() <= {"v", "entries", "pruned"}:
        raise ValueError(f"a version or a field that is not known: {sorted(read)}")
    return read


def _numbers(pair: Any) -> tuple[int, int]:
    count, at = pair
    return _number(count, 1, _MOST_COUNT), _number(at, 0, _MOST_MS)


def _number(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r} is not a whole number from {least} to {most}")
    return value


def _pruned(read: Any) -> Pruned:
    heads, marks = ([bytes.fromhex(mark) for mark in read[part]] for part in ("heads", "marks"))
    if not heads or len(heads) + len(marks) > 255 or any(len(mark) != MARK for mark in (*heads, *marks)):
        raise ValueError("marks that are not 16 bytes each")
    return len(heads), b"".join([*heads, *marks]), _number(read["most"], 1, _MOST_COUNT)
