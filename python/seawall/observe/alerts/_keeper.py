"""Saves the state when it matters, and never lets a bad store stop the alerts."""

from __future__ import annotations

import logging
from collections import deque

from seawall.observe.alerts._state import State
from seawall.observe.alerts._store import Store

_LOG = logging.getLogger("seawall.alerts")


class Keeper:
    """A store, and what went wrong with it. Not thread safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._closed = False
        self._problems: deque[str] = deque(maxlen=10)

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, newest last."""
        return tuple(self._problems)

    def load(self) -> State:
        """What was saved; an empty state where it is damaged, which is told."""
        try:
            data = self._store.load()
            return State() if data is None else State.from_dict(data)
        except Exception as error:  # noqa: BLE001 - a bad store must not stop the alerts
            self._failed(f"the state of alerts could not be read, they begin afresh: {error}")
            self._set_aside()
            return State()

    def save(self, state: State, *, before: State, urgent: bool) -> None:
        """Keep it if something happened, or if anything is active."""
        # While anything is active, also the time of the last look matters: to clocks that are set back, and to outages.
        if urgent or state.instances or state.groups or before.groups:
            self._save(state)

    def open(self) -> None:
        """Save again after `close`."""
        self._closed = False

    def close(self, state: State) -> None:
        """Save a last time: who comes late changes nothing that a successor may have saved."""
        self._save(state)
        self._closed = True

    def _save(self, state: State) -> None:
        if self._closed:
            return
        try:
            self._store.save(state.to_dict())
        except Exception as error:  # noqa: BLE001 - a full disk must not stop the alerts
            self._failed(f"the state of alerts could not be saved: {type(error).__name__}: {error}")

    def _set_aside(self) -> None:
        aside = getattr(self._store, "set_aside", None)
        try:
            if aside is not None:
                aside()
        except OSError as error:
            self._failed(f"the damaged state could not be set aside: {error}")

    def _failed(self, problem: str) -> None:
        _LOG.error("%s", problem)
        self._problems.append(problem)
