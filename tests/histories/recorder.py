"""Records what concurrent clients call and are answered."""

from __future__ import annotations

import math
import pickle
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.histories.checker import Call

from seawall.clock import SystemClock
from seawall.errors import Unavailable, UnknownOutcome


class Recorder:
    """A history that clients on several threads add to; one recorder a process, histories can be joined.

    Thread safety: yes. Times are of the machine's monotonic clock, which all its processes share.
    """

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    def call(self, client: Hashable, name: str, fn: Callable[[], Any], *args: Any) -> Any:
        """Make a call and record it: without an end when its outcome is unknown, not at all when it had none."""
        began = self._clock.now_ns()
        try:
            result = fn()
        except UnknownOutcome:
            self._add(Call(began, math.inf, name, args, None, client))
            raise
        except Unavailable:
            raise
        self._add(Call(began, self._clock.now_ns(), name, args, result, client))
        return result

    def _add(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)


class Line(NamedTuple):
    """What a diary says at one moment: a call begins (`how` is None), or ends.

    Attributes:
        how: "done", "unknown" (it may have happened), "failed" (it did not), or "broke": it raised what it must not.
    """

    number: int
    at: int
    thing: str
    name: str
    args: tuple[Any, ...]
    how: str | None = None
    result: Any = None


class Diary:
    """What one client does, written down before and after: also the last call of one that is killed is in it.

    Thread safety: one client's.

    Args:
        client: Who writes.
        path: A file, for a client that may die; None keeps it in memory.
    """

    def __init__(self, client: str, path: Path | None = None) -> None:
        self.client = client
        self._clock = SystemClock()
        self._file = None if path is None else path.open("ab", buffering=0)
        self._path = path
        self._lines: list[Line] = []
        self._number = 0

    def call(self, thing: str, name: str, fn: Callable[[], Any], *args: Any) -> Any:
        """Make a call on something and write it down."""
        self._number += 1
        line = Line(self._number, self._clock.now_ns(), thing, name, args)
        self._write(line)
        try:
            result = fn()
        except UnknownOutcome as error:
            self._end(line, "unknown", str(error))
            raise
        except Unavailable as error:
            self._end(line, "failed", str(error))
            raise
        except BaseException as error:
            self._end(line, "broke", repr(error))
            raise
        self._end(line, "done", result)
        return result

    def _end(self, line: Line, how: str, result: Any) -> None:
        self._write(line._replace(at=self._clock.now_ns(), how=how, result=result))

    def _write(self, line: Line) -> None:
        if self._file is None:
            self._lines.append(line)
        else:
            self._file.write(pickle.dumps(tuple(line)))

    def close(self) -> None:
        """Nothing more will be written here."""
        if self._file is not None:
            self._file.close()

    def lines(self) -> list[Line]:
        """All that was written, by whichever process."""
        return self._lines if self._path is None else list(_read(self._path))


def _read(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        while True:
            try:
                yield Line(*pickle.load(file))
            except (EOFError, pickle.UnpicklingError):  # the last line of a client that was killed
                return


@dataclass
class History:
    """All calls of all clients.

    Attributes:
        calls: By what they were made on; open where the outcome is not known.
        failed: Those that did not happen, as their clients were told.
        broke: Those that raised what they must not.
    """

    calls: dict[str, list[Call]] = field(default_factory=dict)
    failed: list[tuple[str, Call]] = field(default_factory=list)
    broke: list[tuple[str, Call]] = field(default_factory=list)

    def of(self, thing: str, *names: str) -> list[Call]:
        """Calls on one thing, of these names or of all."""
        return [call for call in self.calls.get(thing, ()) if not names or call.name in names]

    @property
    def unknown(self) -> int:
        """How many calls may have happened or not."""
        return sum(call.is_open for calls in self.calls.values() for call in calls)


def history_of(diaries: Iterable[Diary]) -> History:
    """What all of them say together."""
    history = History()
    for diary in diaries:
        begun: dict[int, Line] = {}
        for line in diary.lines():
            if line.how is None:
                begun[line.number] = line
            else:
                _told(history, diary.client, begun.pop(line.number), line)
        for line in begun.values():
            _told(history, diary.client, line, line._replace(how="unknown"))
    return history


def _told(history: History, client: str, begun: Line, ended: Line) -> None:
    at = math.inf if ended.how == "unknown" else ended.at
    call = Call(begun.at, at, begun.name, begun.args, ended.result, client)
    if ended.how == "failed":
        history.failed.append((begun.thing, call))
    elif ended.how == "broke":
        history.broke.append((begun.thing, call))
    else:
        history.calls.setdefault(begun.thing, []).append(call)
