"""Alerts whose process kills itself at every place: before, while and after it stores, and before and after it tells.

`python -m tests.kills.alerts DIRECTORY SEED TWICE` lives every life, and that many lives that are killed twice.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.alerts_world import gauges

from seawall.clock import ManualClock
from seawall.observe import Recording
from seawall.observe.alerts import Alerts, Call, FileStore, Message, Route, Rule, Value

BASE, STEP, STEPS = 1_000_000.0, 10.0, 5


class Mortal(FileStore):
    """A file store with places to die at: before, with the new file beside the old one, and after."""

    def __init__(self, path: Path, place: Callable[[], None]) -> None:
        super().__init__(path)
        self._place = place

    def save(self, state: dict[str, Any]) -> None:
        """Keep this, or die."""
        self._place()
        flush, os.fsync = os.fsync, lambda _: self._place()  # SIGKILL takes nothing from files, flushed or not
        try:
            super().save(state)
        finally:
            os.fsync = flush
        self._place()


def live(directory: Path, kill_at: int) -> None:
    """From the step that was stored last to the end: at each one more queue is too deep, and told for itself."""
    counter = itertools.count()

    def place() -> None:
        if next(counter) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(message: Message) -> None:
        place()
        queues = [alert.labels["queue"] for alert in message.notification.alerts]
        told = os.open(directory / "told.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(told, "".join(f"{queue} {message.notification.id}\n" for queue in queues).encode())
        os.close(told)
        place()

    store = Mortal(directory / "alerts.json", place)
    state = store.load()
    first = 0 if state is None or state["now"] is None else round((state["now"] - BASE) / STEP)
    recording = Recording()
    alerts = Alerts(
        recording,
        [Rule("Deep", Value("depth"), above=80, by="queue")],
        channels={"hook": Call(tell)},
        route=Route("hook", group_by="...", group_wait=0),
        store=store,
        clock=ManualClock(BASE),
    )
    assert alerts.stats().problems == ()
    for step in range(first, STEPS):
        now = BASE + step * STEP
        recording.append(gauges(now, {f"q{number}": 90.0 for number in range(step + 1)}))
        alerts.evaluate(now)
        alerts.deliver()
    assert alerts.stats().under_way == 0


def killed(directory: Path, kill_at: int) -> bool:
    """Live in a process of its own; whether it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            live(directory, kill_at)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, (kill_at, status)
    return False


def check(directory: Path, story: object) -> int:
    """Everybody was told, and what was told twice had the same id; how many were told twice."""
    lines = [line.split() for line in (directory / "told.txt").read_text().splitlines()]
    assert {queue for queue, _ in lines} == {f"q{number}" for number in range(STEPS)}, story
    assert len({told for _, told in lines}) == STEPS, story
    assert len(lines) <= STEPS + 2, story
    return len(lines) - STEPS


def main(directory: Path, seed: int, twice: int) -> None:
    """All lives."""
    lives = again = 0
    while True:
        here = directory / f"once{lives}"
        here.mkdir()
        dead = killed(here, lives)
        assert not killed(here, -1)
        again += check(here, lives)
        if not dead:
            break
        lives += 1
    chance = random.Random(seed)
    for number in range(twice):
        here = directory / f"twice{number}"
        here.mkdir()
        places = [chance.randrange(lives), chance.randrange(lives)]
        for place in places:
            killed(here, place)
        assert not killed(here, -1)
        again += check(here, (seed, places))
    sys.stdout.write(f"killed at {lives} places and {twice} times twice; told again: {again}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
