"""What is noted while runs are under way: moments that somebody names, and what guards report."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

from seawall.errors import ConfigError
from seawall.patterns import Signal

if TYPE_CHECKING:
    from seawall.measure.load._notes import Noting

_LONGEST = 200


class Watching:
    """The runs of a test that are under way, and the signals whose events they note. Thread safety: any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: tuple[Noting, ...] = ()
        self._signals: list[Signal[Any]] = []

    def watch(self, sources: Iterable[object]) -> None:
        """Add signals, or all those of objects."""
        found = [signal for source in sources for signal in _signals_of(source)]
        with self._lock:
            self._signals += [signal for signal in found if signal not in self._signals]

    @contextmanager
    def run(self, run: Noting) -> Iterator[None]:
        """Note in `run`, while the block runs."""
        with self._lock:
            self._runs = (*self._runs, run)
            signals = list(self._signals)
        try:
            with ExitStack() as connected:
                for signal in signals:
                    connected.enter_context(signal.connect(_noting(run, signal.name)))
                yield
        finally:
            with self._lock:
                self._runs = tuple(other for other in self._runs if other is not run)

    def note(self, name: str, kind: Literal["checkpoint", "event"], text: str) -> None:
        """Note something that happens now in every run that is under way."""
        if not isinstance(name, str) or not name:
            raise ConfigError(f"a checkpoint must have a name, got {name!r}; for example 'deployed'")
        if not isinstance(text, str):
            raise ConfigError(f"text of a checkpoint must be a text, got {text!r}; for example 'version 2'")
        for run in self._runs:
            run.note(name[:_LONGEST], kind, text[:_LONGEST])


def _noting(run: Noting, name: str) -> Any:
    return lambda event: run.note(name, "event", str(event)[:_LONGEST])


def _signals_of(source: object) -> list[Signal[Any]]:
    if isinstance(source, Signal):
        return [source]
    names = [name for name in dir(source) if not name.startswith("_")]
    found = []
    for name in names:
        # A property of somebody else's may raise anything, and is no signal then.
        with suppress(Exception):
            if isinstance(value := getattr(source, name, None), Signal):
                found.append(value)
    if not found:
        raise ConfigError(
            f"watch needs signals or objects that have some, got {source!r}; for example a CircuitBreaker"
        )
    return found
