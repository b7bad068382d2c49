"""Threads whose time is a ManualClock's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from seawall.clock import ManualClock


class _Run:
    """A function in a thread, and how it ended."""

    def __init__(self, fn: Callable[[], Any], ended: Callable[[], None]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self._fn = fn
        self._ended = ended
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.result = self._fn()
        except BaseException as error:  # noqa: BLE001 -- raised again in the caller's thread
            self.error = error
        self.done = True
        self._ended()


def run_threads(clock: ManualClock, *functions: Callable[[], Any], patience: float = 30.0) -> list[Any]:
    """Run each function in a thread, and move the clock whenever all that have not ended sleep on it.

    Args:
        clock: The clock that everything inside was given.
        functions: What to run.
        patience: Real seconds to wait for threads that neither end nor sleep on the clock, before that is an error.

    Returns:
        Results in the order of the functions. What one raised is raised here, what several raised as a group.

    Raises:
        RuntimeError: Threads wait for each other.

    Example:
        >>> clock = ManualClock()
        >>> run_threads(clock, lambda: clock.sleep(60), lambda: clock.sleep(3600))
        [None, None]
        >>> clock.time()
        3600.0
    """
    changed = threading.Event()
    runs = [_Run(fn, changed.set) for fn in functions]
    with clock.driven(changed.set):
        for one in runs:
            one.thread.start()
        while not all(one.done for one in runs):
            _step(clock, runs, changed, patience)
    for one in runs:
        one.thread.join()
    return _results(runs)


def _step(clock: ManualClock, runs: list[_Run], changed: threading.Event, patience: float) -> None:
    # Cleared before the look: what changes after it is seen by the wait.
    changed.clear()
    asleep = clock.asleep()
    awake = [one for one in runs if not one.done and one.thread.ident not in asleep]
    if awake:
        if not changed.wait(patience):
            raise RuntimeError(
                f"{len(awake)} of {len(runs)} threads neither ended nor slept on the clock for {patience:g} s "
                "of real time; do they wait for each other?"
            )
    elif not all(one.done for one in runs):
        clock.jump()


def _results(runs: list[_Run]) -> list[Any]:
    errors = [one.error for one in runs if one.error is not None]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup("several threads failed", errors)
    return [one.result for one in runs]
