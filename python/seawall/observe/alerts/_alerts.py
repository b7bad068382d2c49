"""Alerts at work: a clock, a store and channels around the pure machines."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from seawall.clock import Bell, Clock, SystemClock, WallClock
from seawall.errors import ConfigError
from seawall.observe._recording import Recording
from seawall.observe._snapshot import Snapshot
from seawall.observe.alerts._alert import fingerprint
from seawall.observe.alerts._checks import seconds_of, whole_of
from seawall.observe.alerts._courier import Courier
from seawall.observe.alerts._dial import Dial
from seawall.observe.alerts._evaluation import (
    Evaluation,
    Outcome,
    Plan,
    Transition,
    evaluate,
    known_groups,
    mute_of,
    settle,
)
from seawall.observe.alerts._evidence import Evidence
from seawall.observe.alerts._keeper import Keeper
from seawall.observe.alerts._matchers import Matcher, matchers_of
from seawall.observe.alerts._message import Channel, Message
from seawall.observe.alerts._moment import Moment
from seawall.observe.alerts._mutes import Inhibition, Silence
from seawall.observe.alerts._notifier import Notification
from seawall.observe.alerts._readout import Readout, read
from seawall.observe.alerts._routes import Route
from seawall.observe.alerts._rule import Rule
from seawall.observe.alerts._silencing import expired, with_silence
from seawall.observe.alerts._state import State
from seawall.observe.alerts._stats import ActiveAlert, AlertsStats, ChannelStats
from seawall.observe.alerts._store import MemoryStore, Store
from seawall.observe.alerts._templates import Renders, Template
from seawall.patterns import Signal

_LOG = logging.getLogger("seawall.alerts")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class Alerts:
    """Evaluates rules over a recording and tells who must know.

    Guarantees:

    - Nothing starts by itself: call `evaluate()` and `deliver()`, or `start()`, or await `run()`.
    - A channel that hangs or fails keeps neither evaluations nor other channels; that it fails is told through them.
    - With a store that survives, a restart forgets no pending alert, no silence and no notification; a notification is
      told again after a crash only if the process died between telling it and noting so, and then with the same id.
    - A clock that is set back moves pending alerts and groups with it: nothing waits longer for that.

    Thread safety: yes. No lock is held while rules are read, texts rendered or channels used.
    Cost: an evaluation reads the recording once for each window that rules ask for.

    Args:
        recording: What rules read; or a function that returns a Snapshot, called at each evaluation. That it fails is
            alerted as `SeawallRuleFailing` of the rule "snapshot".
        rules: Differing in name or severity.
        channels: By name. Letters, digits, `_`, `-` and `.`.
        route: Who gets what; by default all channels get everything.
        inhibitions: Which alerts make others needless.
        store: Keeps the state; by default only as long as the object.
        template: Words for people.
        evidence: What to collect when an alert fires.
        every: Seconds between evaluations.
        queue: Notifications that may wait for a channel; those beyond are told later, as after a failure.
        external_url: Of your dashboard, for the payload.
        clock: A ManualClock for tests; by default the machine's wall clock stamps and its monotonic clock waits.

    Raises:
        ConfigError: what cannot be.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.observe import Family, Recording, Sample, Snapshot
        >>> from seawall.observe.alerts import Call, Value
        >>> recording, told, clock = Recording(), [], ManualClock(100)
        >>> full = Rule("QueueFull", Value("queue_depth"), above=900)
        >>> alerts = Alerts(
        ...     recording, [full], channels={"me": Call(told.append)}, route=Route("me", group_wait=0), clock=clock
        ... )
        >>> recording.append(Snapshot(100.0, (Family("queue_depth", "gauge", (Sample((), 950.0),)),)))
        >>> [transition.move for transition in alerts.evaluate().transitions]
        ['firing']
        >>> alerts.deliver(), [message.rendered.title for message in told]
        (1, ['[firing] QueueFull: 1 firing, 0 resolved'])
    """

    def __init__(
        self,
        recording: Recording | Callable[[], Snapshot],
        rules: Sequence[Rule],
        *,
        channels: Mapping[str, Channel],
        route: Route | None = None,
        inhibitions: Iterable[Inhibition] = (),
        store: Store | None = None,
        template: Renders | None = None,
        evidence: Evidence | None = None,
        every: float = 15.0,
        queue: int = 100,
        external_url: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.recording = recording if isinstance(recording, Recording) else Recording()
        self._sample = None if isinstance(recording, Recording) else recording
        _check_channels(channels)
        tree = (route or Route(tuple(channels))).resolved()
        decorate = evidence.annotations if evidence is not None else None
        self._plan = Plan(tuple(rules), tree, tuple(channels), tuple(inhibitions), decorate)
        self._every = seconds_of(every, "every", least=0.01)
        self._template: Renders = template or Template()
        self._evidence = evidence
        self._external_url = external_url
        self._clock: Clock = clock or SystemClock()
        self._wall: Any = clock or WallClock()
        self.moved: Signal[Transition] = Signal("alerts.moved", Transition)
        self._lock = threading.Lock()
        self._outcomes: deque[Outcome] = deque()
        self._history: deque[Transition] = deque(maxlen=1_000)
        self._last = Evaluation(0.0)
        self._evaluations = 0
        self._keeper = Keeper(store or MemoryStore())
        self._state = self._keeper.load()
        whole_of(queue, "queue", 1, 100_000, 100)
        self._couriers = {name: Courier(name, each, queue, self._report) for name, each in channels.items()}
        self._dial = Dial(self._clock, self._wall)
        self._bell = Bell()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._send(self._state.outbox.values())

    def evaluate(self, now: float | None = None) -> Evaluation:
        """Look at everything once: what moved, and who will be told; telling is the channels' threads' or `deliver`'s.

        Args:
            now: Unix seconds; by default the clock's.
        """
        blind = self._sampled()
        read_at = self._dial.now(self.recording.latest) if now is None else now
        now = self._now() if now is None else now
        with self._lock:
            known = known_groups(self._state)
        readouts = read(self._plan.rules, Moment(self.recording, read_at), known)
        if blind:
            readouts["snapshot"] = Readout(error=blind)
        with self._lock:
            settled = self._settled()
            state, found = evaluate(self._plan, settled, readouts, now)
            self._keeper.save(state, before=settled, urgent=bool(found.transitions or found.notifications))
            self._state, self._last = state, found
            self._evaluations += 1
            self._history.extend(found.transitions)
        self._send(found.notifications)
        for transition in found.transitions:
            self._moved(transition)
        return found

    def deliver(self) -> int:
        """Tell what waits now, in the caller's thread; how many notifications. For when nothing was started."""
        return sum(courier.drain() for courier in self._couriers.values())

    def start(self) -> Alerts:
        """Evaluate every `every` seconds in a thread, and tell in a thread for each channel, until `stop`."""
        self._start_couriers()
        if self._thread is None or not self._thread.is_alive():
            self._stopping = False
            self._thread = threading.Thread(target=self._run, name="seawall-alerts", daemon=True)
            self._thread.start()
        return self

    def stop(self, timeout: float = 5.0) -> bool:
        """End the threads; what could not be told stays in the store for the next start.

        Args:
            timeout: Seconds for each thread.

        Returns:
            Whether all ended; a hanging channel's thread is left alone.
        """
        self._stopping = True
        self._bell.ring()
        if self._thread is not None:
            self._thread.join(timeout)
        return self._stop_couriers(timeout)

    async def run(self) -> None:
        """`start` and `stop` for tasks: evaluates until cancelled, never keeping the event loop."""
        self._start_couriers()
        try:
            while True:
                await asyncio.to_thread(self._evaluate_safely)
                await self._clock.sleep_async(self._every)
        finally:
            await asyncio.shield(asyncio.to_thread(self._stop_couriers, 5.0))

    def silence(
        self,
        match: Mapping[str, str] | str | Matcher | Iterable[str | Matcher],
        *,
        seconds: float | None = None,
        start: float | None = None,
        end: float | None = None,
        by: str,
        why: str,
    ) -> Silence:
        """Do not tell alerts that all matchers match for a time.

        Args:
            match: A mapping of labels to values, or matchers such as `route=~"/a.*"`.
            seconds: From `start` on; or `end`.
            start: Unix seconds; by default now.
            end: Unix seconds.
            by: Who.
            why: What for.

        Raises:
            ConfigError: it matches everything, or would never end.
        """
        if (seconds is None) == (end is None):
            raise ConfigError("a silence needs seconds= or end=, exactly one of them")
        begin = self._now() if start is None else start
        until = begin + seconds_of(seconds, "seconds", least=1e-3) if seconds is not None else end
        made = Silence(matchers_of(match), begin, until, by, why)  # type: ignore[arg-type]  # one is given
        with self._lock:
            self._become(with_silence(self._state, made))
        return made

    def unsilence(self, silence: Silence | str) -> None:
        """End a silence now, by itself or by its id.

        Raises:
            KeyError: there is none.
        """
        with self._lock:
            self._become(expired(self._state, silence if isinstance(silence, str) else silence.id, self._now()))

    @property
    def silences(self) -> tuple[Silence, ...]:
        """All that are, will be, or were in the last five days."""
        return tuple(self._state.silences.values())

    @property
    def history(self) -> tuple[Transition, ...]:
        """The last thousand transitions, oldest first."""
        return tuple(self._history)

    def active(self) -> tuple[ActiveAlert, ...]:
        """All pending and firing alerts."""
        state, rules = self._state, {rule.key: rule for rule in self._plan.rules}
        told = [alert for group in state.groups.values() for alert in group.alerts.values()]
        muted = mute_of(self._plan, state, told, self._now())
        quiet = {alert.fingerprint for alert in told if muted(alert)}
        return tuple(
            ActiveAlert(
                rules[key].name,
                labels := rules[key].labels_for(group),
                each.phase,
                each.active_at if each.fired_at is None else each.fired_at,
                each.value,
                fingerprint(labels) in quiet,
            )
            for (key, group), each in state.instances.items()
            if key in rules
        )

    def stats(self) -> AlertsStats:
        """How the alerts and their channels do."""
        state = self._state
        phases = [instance.phase for instance in state.instances.values()]
        return AlertsStats(
            self._evaluations,
            state.now,
            phases.count("pending"),
            phases.count("firing"),
            len(state.groups),
            len(state.outbox),
            len(state.silences),
            {
                name: ChannelStats(courier.sent, courier.failed, courier.waiting, state.failing.get(name, ""))
                for name, courier in self._couriers.items()
            },
            dict(self._last.dropped),
            dict(self._last.errors),
            self._keeper.problems,
        )

    def _sampled(self) -> str:
        """Record what there is; why that could not be, "" when it could."""
        if self._sample is None:
            return ""
        try:
            self.recording.append(self._sample())
        except Exception as error:  # noqa: BLE001 - alerted like a rule that fails
            return f"{type(error).__name__}: {error}"[:500]
        return ""

    def _now(self) -> float:
        return float(self._wall.now_ns() / 1e9)

    def _send(self, notifications: Iterable[Notification]) -> None:
        for told in notifications:
            courier = self._couriers.get(told.receiver)
            if courier is None:  # of a channel that is no longer there
                self._report(Outcome(told))
            else:
                courier.offer(self._message(told))

    def _message(self, told: Notification) -> Message:
        try:
            return Message.of(told, self._template, self._external_url)
        except Exception:  # noqa: BLE001 - a template may be anybody's code
            _LOG.exception("the template failed; the alert is told in the usual words")
            return Message.of(told, Template(), self._external_url)

    def _report(self, outcome: Outcome) -> None:
        if outcome.error:
            _LOG.error("alerts could not be told through %s: %s", outcome.notification.receiver, outcome.error)
        self._outcomes.append(outcome)
        with self._lock:
            self._become(self._settled())

    def _settled(self) -> State:
        outcomes = []
        while self._outcomes:
            outcomes.append(self._outcomes.popleft())
        return settle(self._plan, self._state, outcomes) if outcomes else self._state

    def _become(self, state: State) -> None:
        if state is not self._state:
            self._keeper.save(state, before=self._state, urgent=True)
            self._state = state

    def _moved(self, transition: Transition) -> None:
        alert = transition.alert if transition.move == "firing" else None
        if alert is not None and self._evidence is not None and self._evidence.wanted(alert):
            self._evidence.collect(alert)
        if self.moved:
            self.moved.send(transition)

    def _run(self) -> None:
        while not self._stopping:
            due = self._clock.now_ns() + round(self._every * 1e9)
            self._evaluate_safely()
            while not self._stopping and self._clock.now_ns() < due:
                self._clock.park(self._bell, due)

    def _evaluate_safely(self) -> None:
        try:
            self.evaluate()
        except Exception:  # noqa: BLE001 - whoever alerts must not die
            _LOG.exception("alerts could not be evaluated; the next time they are again")

    def _start_couriers(self) -> None:
        self._keeper.open()
        for courier in self._couriers.values():
            courier.start()

    def _stop_couriers(self, timeout: float) -> bool:
        ended = [courier.stop(timeout) for courier in self._couriers.values()]
        if self._evidence is not None:
            ended.append(self._evidence.stop(timeout))
        with self._lock:
            self._keeper.close(self._state)
        return all(ended)

    def __enter__(self) -> Alerts:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<Alerts: {len(self._plan.rules)} rules, {stats.firing} firing, {stats.pending} pending>"


def _check_channels(channels: Mapping[str, Any]) -> None:
    for name, channel in channels.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigError(f"channels must be named by letters, digits, _, - and ., got {name!r}")
        if isinstance(channel, type) or not isinstance(channel, Channel):
            raise ConfigError(f"channel {name!r} must have a method send(message), got {channel!r}")
