"""Views of a recording, one for each span, shared by all who look; and the streams they are told by."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from seawall.clock import Clock
from seawall.observe._recording import Recording
from seawall.observe.dashboard._rows import Sections
from seawall.observe.dashboard._state import View
from seawall.observe.panels import Panel

MOST_VIEWERS = 32


class Views:
    """What is shown, by span.

    Args:
        recording: Of the metrics.
        panels: Says what is drawn now.
        sections: Where the rest comes from.
        every: Seconds between events.
    """

    def __init__(
        self,
        recording: Recording,
        panels: Callable[[], Sequence[Panel]],
        sections: Sections,
        every: float,
        clock: Clock,
    ) -> None:
        self.sections = sections
        self.viewers = 0
        self._recording = recording
        self._panels = panels
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._views: dict[float, View] = {}

    async def state(self, span: float, since: float | None = None) -> dict[str, Any]:
        """The state over a span. Made in another thread: a section may take its time, and the loop has other work."""
        return await asyncio.to_thread(self._state, span, since)

    def _state(self, span: float, since: float | None) -> dict[str, Any]:
        with self._lock:
            view = self._views.get(span)
            if view is None:
                view = self._views[span] = View(self._recording, self._panels, self.sections, span)
            return view.state(since)

    def events(self, span: float) -> AsyncIterator[bytes] | None:
        """Server-sent events: the state, then what is new, again and again; None when too many are looking.

        Source: the HTML standard, section 9.2.
        """
        if self.viewers >= MOST_VIEWERS:
            return None
        return self._events(span)

    async def _events(self, span: float) -> AsyncIterator[bytes]:
        self.viewers += 1
        try:
            since: float | None = None
            # A browser that lost us waits that long before it asks again.
            yield b"retry: 2000\n\n"
            while True:
                state = await self.state(span, since)
                yield b"data: " + json.dumps(state, separators=(",", ":")).encode() + b"\n\n"
                since = state["at"] if state["at"] is not None else since
                await self._clock.sleep_async(self._every)
        finally:
            self.viewers -= 1
