"""One check: asked by many at once, run once, and never waited for beyond its time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from seawall.clock import Clock, WallClock, to_ns
from seawall.errors import ConfigError
from seawall.monitor._flight import Flight
from seawall.monitor.health._machine import Pace, State, Want, after, want
from seawall.monitor.health._options import CheckOptions
from seawall.monitor.health._reports import CheckReport
from seawall.monitor.health._scrub import Scrubber, error_text
from seawall.monitor.health._words import Outcome, Status
from seawall.patterns import Signal

_WALL = WallClock()


@dataclass(frozen=True, slots=True)
class CheckChanged:
    """A check has another status than before.

    Args:
        name: Of the check.
        before: None before the first answer.
        after: What it is now.
        output: What is wrong.
    """

    name: str
    before: Status | None
    after: Status | None
    output: str


class Check:
    """A check of a `Health`, made by its `add`.

    Thread safety: yes.
    """

    __slots__ = (
        "_at", "_changed", "_clock", "_flight", "_fn", "_lock", "_pace", "_scrub", "_seconds", "_state", "_stuck",
        "name", "options",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        fn: Callable[[], Any],
        options: CheckOptions,
        clock: Clock,
        *,
        scrub: Scrubber,
        changed: Signal[CheckChanged],
    ) -> None:
        self.name = name
        self.options = options
        self._fn = fn
        self._seconds = to_ns(options.timeout, "timeout") / 1e9
        self._pace = Pace(
            to_ns(options.ttl, "ttl", least_ns=0), to_ns(options.stale, "stale", least_ns=0),
            options.successes, options.failures, options.max_stuck,
        )  # fmt: skip
        self._clock = clock
        self._scrub = scrub
        self._changed = changed
        self._lock = threading.Lock()
        self._state = State()
        self._at: float | None = None
        self._flight: Flight | None = None
        self._stuck: list[Flight] = []

    def begin(self, *, task: bool) -> Flight | None:
        """Start what must be started; the run to wait for, None when what is known will do."""
        events: list[CheckChanged] = []
        with self._lock:
            self._settle(events)
            wish = self._want()
            if wish is Want.STUCK:
                self._record(Outcome.failed(self._stuck_text()), 0, events)
            elif wish in (Want.RUN, Want.REFRESH):
                self._flight = Flight(self._fn, self._seconds, self._clock, f"seawall-check-{self.name}", task=task)
            flight = self._flight if wish in (Want.RUN, Want.JOIN) else None
        self._tell(events)
        return flight

    def report(self) -> CheckReport:
        """What is known, after runs that have ended or whose time is up were taken in."""
        events: list[CheckChanged] = []
        with self._lock:
            self._settle(events)
            state, at, stuck = self._state, self._at, len(self._stuck)
        self._tell(events)
        now, last, known = self._clock.now_ns(), state.last, state.last is not None
        return CheckReport(
            self.name, self.options.probe, self.options.critical, state.status,
            found=last.status if last else None, output=last.output if last else "", value=last.value if last else None,
            unit=last.unit if last else "", age=(now - state.at_ns) / 1e9 if known else None,
            took=state.took_ns / 1e9 if known else None, since=(now - state.since_ns) / 1e9 if known else None,
            streak=state.streak, stuck=stuck, at=at,
        )  # fmt: skip

    def forget(self) -> None:
        """The next asker has it run again, whatever is known; what was found still counts for thresholds."""
        with self._lock:
            long_ago = self._clock.now_ns() - self._pace.ttl - self._pace.stale
            self._state = replace(self._state, at_ns=min(self._state.at_ns, long_ago))

    def _want(self) -> Want:
        running = self._flight is not None
        return want(self._state, self._pace, self._clock.now_ns(), running=running, stuck=len(self._stuck))

    def _settle(self, events: list[CheckChanged]) -> None:
        """Take in the run under way if it is over. A run that ends after it was given up is never taken in."""
        self._stuck = [flight for flight in self._stuck if not flight.done and not flight.lost]
        flight = self._flight
        if flight is not None and flight.lost:
            self._flight = flight = None
        if flight is None or not (flight.done or flight.overdue):
            return
        self._flight = None
        took = self._clock.now_ns() - flight.started_ns
        if flight.done:
            self._record(self._outcome(flight), took, events)
            return
        flight.give_up()
        self._stuck.append(flight)
        text = f"no answer within {self.options.timeout:g} s"
        if len(self._stuck) > 1:
            text += f"; {len(self._stuck)} runs hang"
        self._record(Outcome.failed(text), took, events)

    def _outcome(self, flight: Flight) -> Outcome:
        error = flight.future.exception()
        if isinstance(error, asyncio.CancelledError):
            return Outcome.failed("cancelled, as its event loop was closed")
        if error is not None:
            return Outcome.failed(error_text(error))
        return outcome_of(flight.future.result())

    def _record(self, outcome: Outcome, took: int, events: list[CheckChanged]) -> None:
        output = self._scrub(outcome.output)
        value = self._scrub(outcome.value) if isinstance(outcome.value, str) else outcome.value
        outcome = Outcome(outcome.status, output, value, outcome.unit)
        before = self._state.status
        self._state = after(self._state, outcome, self._clock.now_ns(), took, self._pace)
        self._at = _WALL.now_ns() / 1e9
        if self._state.status is not before:
            events.append(CheckChanged(self.name, before, self._state.status, output))

    def _stuck_text(self) -> str:
        longest = (self._clock.now_ns() - min(flight.started_ns for flight in self._stuck)) / 1e9
        runs = "1 run hangs" if len(self._stuck) == 1 else f"{len(self._stuck)} runs hang"
        return f"{runs}, the longest since {longest:.1f} s; it is asked again when one ends"

    def _tell(self, events: list[CheckChanged]) -> None:
        for event in events:
            self._changed.send(event)

    def __repr__(self) -> str:
        status = self._state.status
        critical = "critical" if self.options.critical else "not critical"
        return (
            f"<Check {self.name!r} of {self.options.probe.value}, {critical}: {status.value if status else 'unknown'}>"
        )


def outcome_of(answer: Any) -> Outcome:
    """What a check's answer means: None and True are good, False is not, an Outcome says it itself."""
    if isinstance(answer, Outcome):
        return answer
    if answer is None or answer is True:
        return Outcome.passed()
    if answer is False:
        return Outcome.failed("the check returned False")
    kind = type(answer).__name__
    return Outcome.failed(f"the check must return None, True, False or an Outcome, or raise an error; got {kind}")


def checked_name(name: object) -> str:
    """The name of a check: it is a key of the page.

    Raises:
        ConfigError: It cannot be one.
    """
    if isinstance(name, str) and 1 <= len(name) <= 100 and name.isprintable():
        return name
    raise ConfigError(f"the name of a check must be 1 to 100 printable characters, got {name!r:.120}")
