"""The copies of one plain call, in threads: its caller waits for the first good answer, the others run to their end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from threading import Lock
from typing import TYPE_CHECKING, Any

from seawall.clock import Bell, Deadline
from seawall.guard.hedge._outcome import Outcome, spoken_for

if TYPE_CHECKING:
    from seawall.guard.hedge._hedge import Hedge


class ThreadRace:
    """One call of which up to `max_copies` run at once."""

    __slots__ = ("_after", "_began", "_bell", "_context", "_ended", "_hedge", "_lock", "_made", "_over", "_start")

    def __init__(self, hedge: Hedge, start: Callable[[], Any], began_ns: int) -> None:
        self._hedge = hedge
        self._start = start
        self._began = began_ns
        self._after = hedge.after_ns
        self._bell = Bell()
        self._ended: deque[Outcome] = deque()
        self._lock = Lock()
        self._made = 0
        self._over = False

    def run(self) -> Any:
        """Block until the first good answer."""
        self._context = copy_context()
        if not self._hedge._take_thread():
            self._hedge._count_crowded()
            result = self._start()
            self._learn(Outcome(1, result).is_good(self._hedge._good))
            return result
        self._make()
        try:
            return self._answer().end()
        finally:
            self._finish()

    def _answer(self) -> Outcome:
        failed: list[Outcome] = []
        due: int | None = self._began + self._after
        while len(failed) < self._made:
            self._wait(due)
            while self._ended:
                outcome = self._ended.popleft()
                good = outcome.is_good(self._hedge._good)
                if outcome.copy == 1:
                    self._learn(good)
                if good:
                    return self._won(outcome)
                failed.append(outcome)
            if due is not None and len(failed) < self._made and self._hedge.clock.now_ns() >= due:
                due = self._copy()
        return spoken_for(self._hedge.name, failed)

    def _wait(self, due: int | None) -> None:
        """Until a copy has ended or the next one is due."""
        if self._ended:
            return
        if due is None:
            self._bell.wait()
            self._bell.clear()
        else:
            self._hedge.clock.park(self._bell, due)

    def _copy(self) -> int | None:
        """Make another copy if that may be; when the next one is due."""
        hedge = self._hedge
        if not hedge._may_copy(Deadline.current()):
            return None
        if not hedge._take_thread():
            hedge._count_crowded()
            return None
        self._make()
        hedge._count_hedged(self._made, self._began)
        return hedge.clock.now_ns() + self._after if self._made < hedge._options.max_copies else None

    def _make(self) -> None:
        self._made += 1
        self._hedge._submit(self._work, self._made, self._context.copy())

    def _work(self, number: int, context: Context) -> None:
        """In a thread."""
        try:
            outcome = Outcome(number, context.run(self._start))
        except BaseException as error:  # noqa: BLE001 -- the caller's thread decides
            outcome = Outcome(number, error=error)
        self._hedge._give_thread()
        with self._lock:
            late = self._over
            if not late:
                self._ended.append(outcome)
        if not late:
            self._bell.ring()
        elif outcome.error is None:
            self._hedge._lose(outcome.result)

    def _won(self, outcome: Outcome) -> Outcome:
        if outcome.copy > 1:
            self._learn(False)
            self._hedge._count_won(outcome.copy, self._began)
        return outcome

    def _learn(self, good: bool) -> None:
        """The first copy ended, or runs on; by a fast failure nothing is learnt of latency."""
        took = self._hedge.clock.now_ns() - self._began
        if good or took >= self._after:
            self._hedge._learn(took)

    def _finish(self) -> None:
        """Nobody waits any more: what has ended since, or will, is discarded."""
        with self._lock:
            self._over = True
        while self._ended:
            outcome = self._ended.popleft()
            if outcome.error is None:
                self._hedge._lose(outcome.result)
