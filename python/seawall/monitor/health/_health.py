"""All checks of a service, and the answers to its three probes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from seawall.clock import Clock, SystemClock
from seawall.errors import ConfigError
from seawall.monitor.health._check import Check, CheckChanged, checked_name
from seawall.monitor.health._options import CheckOptions
from seawall.monitor.health._reports import Report, concerned, judge
from seawall.monitor.health._scrub import Scrubber
from seawall.monitor.health._words import Probe, Status
from seawall.observe._access import Access
from seawall.patterns import Signal

if TYPE_CHECKING:
    from seawall.monitor.health._asgi import HealthAsgi
    from seawall.monitor.health._wsgi import HealthWsgi
    from seawall.observe import Snapshot

F = TypeVar("F", bound=Callable[[], Any])
_MOST = 1_000


class Health:
    """Is the service alive, ready, started? Checks answer, each in its own time and all side by side.

    Guarantees:

    - A probe is answered within the longest `timeout` of the checks it asks, whatever hangs; the first one after a
      start may ask those of startup and then the others.
    - However many ask at once, each check runs once, and its answer is good for all for its `ttl`.
    - A plain function that hangs keeps a thread. At `max_stuck` of them no more are started, and the check says so.
    - Liveness asks no dependency and nothing at all before startup is over: no outage of a database restarts anything.
    - Nothing that looks like a secret is in an answer, see `secrets`; without the token there is only a status.

    Thread safety: yes; any number of threads, tasks and loops. Nothing runs unless somebody asks.

    Args:
        service: What it is called on the verbose page.
        version: Its version, for the verbose page.
        token: What a caller of the verbose page must show as `Authorization: Bearer ...`; several while one is being
            replaced by another. At least 16 characters each. None: there is no verbose page.
        open_verbose: Show the verbose page to everybody, for a port that only friends reach.
        hold_startup: Startup is not over before `startup_done()` was called.
        secrets: Texts that are never shown, beyond those the checks know and what looks like one.
        clock: What measures time.

    Example:
        >>> health = Health("orders")
        >>> @health.check("queue", critical=False)
        ... def queue() -> bool:
        ...     return False
        >>> health.ask("ready").status, health.ask("live").status
        (<Status.WARN: 'warn'>, <Status.PASS: 'pass'>)
    """

    def __init__(
        self,
        service: str = "",
        *,
        version: str = "",
        token: str | Iterable[str] | None = None,
        open_verbose: bool = False,
        hold_startup: bool = False,
        secrets: Iterable[str] = (),
        clock: Clock | None = None,
    ) -> None:
        self.service = service
        self.version = version
        self.access = Access(token, open_to_all=open_verbose)
        self.changed: Signal[CheckChanged] = Signal("health.changed", CheckChanged)
        self._secrets = (*secrets, *self.access.tokens)
        self._scrub = Scrubber(self._secrets)
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._checks: tuple[Check, ...] = ()
        self._held = hold_startup
        self._started = False
        self._draining: str | None = None
        self._ever_ready = False

    def add(
        self,
        name: str,
        fn: Callable[[], Any],
        *,
        probe: Probe | str = Probe.READY,
        critical: bool = True,
        timeout: float | timedelta = 0.8,
        ttl: float | timedelta = 1.0,
        stale: float | timedelta = 0.0,
        failures: int = 1,
        successes: int = 1,
        max_stuck: int = 2,
    ) -> Check:
        """Add a check.

        Args:
            name: Its name, unique.
            fn: A function or coroutine function without arguments. None or True is good, False is not, an `Outcome`
                says it itself, an error is bad. A coroutine runs in the loop that asks; a function in a thread.
            probe: "ready", "live" or "startup".
            critical: Whether its failure fails the probe; else it only degrades the service.
            timeout: Time for one run, 0.01 to 60 s.
            ttl: How long an answer is good, 0 to 3,600 s.
            stale: How much longer it is given while a new run is under way, 0 to 3,600 s.
            failures: Bad answers in a row that make it fail, 1 to 100.
            successes: Good answers in a row that make it pass, 1 to 100.
            max_stuck: Runs that may hang before no more are started, 1 to 100.

        Raises:
            ConfigError: An option is wrong, the name taken, or the check cannot decide this probe.
        """
        alone = getattr(fn, "alone", False)
        options = CheckOptions(
            probe=probe, critical=critical, timeout=timeout, ttl=ttl, stale=stale, failures=failures,  # type: ignore[arg-type]
            successes=successes, max_stuck=1 if alone else max_stuck,
        )  # fmt: skip
        self._refuse(name, fn, options)
        scrub = Scrubber((*self._secrets, *getattr(fn, "secrets", ())))
        check = Check(checked_name(name), fn, options, self._clock, scrub=scrub, changed=self.changed)
        with self._lock:
            if any(known.name == name for known in self._checks):
                raise ConfigError(f"there is a check {name!r} already; names are keys of the page, choose another")
            if len(self._checks) >= _MOST:
                raise ConfigError(f"a Health has at most {_MOST:,} checks")
            if options.probe is Probe.STARTUP and self._started:
                raise ConfigError(f"startup is over, check {name!r} comes too late; use Health(hold_startup=True)")
            self._checks = (*self._checks, check)
        return check

    @staticmethod
    def _refuse(name: str, fn: Callable[[], Any], options: CheckOptions) -> None:
        if not callable(fn):
            raise ConfigError(f"check {name!r:.120} must be a function without arguments, got {type(fn).__name__}")
        if options.probe is Probe.LIVE and getattr(fn, "remote", False):
            raise ConfigError(
                f"check {name!r} asks a dependency and cannot decide 'live': a restart heals no dependency, and all "
                "replicas would restart at once; use probe='ready'"
            )

    def check(self, name: str, **options: Any) -> Callable[[F], F]:
        """`add` as a decorator; the function stays what it was."""

        def register(fn: F) -> F:
            self.add(name, fn, **options)
            return fn

        return register

    def remove(self, name: str) -> bool:
        """Take a check away; False when there is none of that name."""
        with self._lock:
            kept = tuple(check for check in self._checks if check.name != name)
            changed = len(kept) < len(self._checks)
            self._checks = kept
        return changed

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks, in the order they were added."""
        return self._checks

    @property
    def started(self) -> bool:
        """Whether startup is over: it was released, and every critical check of it has passed. Never takes it back."""
        return self._started

    @property
    def ever_ready(self) -> bool:
        """Whether anybody was ever told that it is ready: only then does anybody send requests."""
        return self._ever_ready

    @property
    def draining(self) -> str | None:
        """Why no more requests are wanted; None while they are."""
        return self._draining

    def startup_done(self) -> None:
        """Nothing holds startup any more but its checks."""
        self._held = False

    def drain(self, reason: str = "shutting down") -> None:
        """Not ready from now on, whatever the checks say; alive all the same."""
        self._draining = self._scrub(reason)

    def resume(self) -> None:
        """Ready again, as far as the checks say so."""
        self._draining = None

    def ask(self, probe: Probe | str = Probe.READY) -> Report:
        """The answer to a probe."""
        probe = _probe(probe)
        for checks in self._rounds(probe):
            flights = [check.begin(task=False) for check in checks]
            for flight in flights:
                if flight is not None:
                    flight.wait()
        return self._answered(self._report(probe))

    async def ask_async(self, probe: Probe | str = Probe.READY) -> Report:
        """`ask` for a task: coroutine functions run in its loop."""
        probe = _probe(probe)
        for checks in self._rounds(probe):
            flights = [check.begin(task=True) for check in checks]
            for flight in flights:
                if flight is not None:
                    await flight.wait_async()
        return self._answered(self._report(probe))

    def known(self, probe: Probe | str = Probe.READY) -> Report:
        """What a probe would be answered from what is known now; nothing runs."""
        return self._report(_probe(probe))

    def snapshot(self) -> Snapshot:
        """What is known now, as metrics; nothing runs."""
        from seawall.monitor.health._metrics import metrics_of

        reports = [check.report() for check in self._checks]
        return metrics_of(reports, {probe.value: self.known(probe) for probe in Probe})

    def asgi(self, app: Any = None, *, prefix: str = "") -> HealthAsgi:
        """The endpoints as an ASGI app; with `app` in front of it, which gets whatever is not theirs.

        Args:
            app: An ASGI app.
            prefix: Before `/livez`, `/readyz` and `/startupz`, such as "/internal".
        """
        from seawall.monitor.health._asgi import HealthAsgi

        return HealthAsgi(self, app, prefix)

    def wsgi(self, app: Any = None, *, prefix: str = "") -> HealthWsgi:
        """`asgi` for WSGI."""
        from seawall.monitor.health._wsgi import HealthWsgi

        return HealthWsgi(self, app, prefix)

    def _rounds(self, probe: Probe) -> Iterator[tuple[Check, ...]]:
        """The checks to be run, and when those of startup let it be over, the others."""
        self._try_start()
        if not self._started:
            yield self._of(concerned(probe, started=False))
            if probe is Probe.LIVE or not self._try_start():
                return
        yield self._of(concerned(probe, started=True))

    def _of(self, probes: frozenset[Probe]) -> tuple[Check, ...]:
        return tuple(check for check in self._checks if check.options.probe in probes)

    def _try_start(self) -> bool:
        if not self._started and not self._held:
            reports = [check.report() for check in self._of(frozenset({Probe.STARTUP}))]
            self._started = all(report.weight is not Status.FAIL for report in reports)
        return self._started

    def _report(self, probe: Probe) -> Report:
        started = self._started
        reports = [check.report() for check in self._of(concerned(probe, started=started))]
        return judge(probe, reports, started=started, draining=self._draining, held=self._held)

    def _answered(self, report: Report) -> Report:
        if report.probe is Probe.READY and report.ok:
            self._ever_ready = True
        return report

    def __repr__(self) -> str:
        state = "draining" if self._draining is not None else "started" if self._started else "starting"
        return f"<Health {self.service!r}: {len(self._checks)} checks, {state}>"


def _probe(probe: Probe | str) -> Probe:
    try:
        return Probe(probe)
    except ValueError:
        raise ConfigError(f"probe must be one of 'live', 'ready', 'startup', got {probe!r}") from None
