"""What is told about health, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seawall.monitor.health._words import Probe, Status, worst


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What is known of one check.

    Units: `age`, `took` and `since` are in seconds; None before the first answer.

    Args:
        name: Its name.
        probe: Which probe it decides.
        critical: Whether its failure fails the probe.
        status: After thresholds; None while too few answers have come to tell, which counts as FAIL.
        found: What the last run found.
        output: What was wrong, without secrets.
        value: What was measured.
        unit: Its unit.
        age: How long ago the last run ended.
        took: How long it took.
        since: How long the status has been what it is.
        streak: How many answers in a row were good, or bad, as the last one.
        stuck: Runs that were given up and hang.
        at: When the last run ended, in unix seconds; None before.
    """

    name: str
    probe: Probe
    critical: bool
    status: Status | None
    found: Status | None = None
    output: str = ""
    value: float | str | None = None
    unit: str = ""
    age: float | None = None
    took: float | None = None
    since: float | None = None
    streak: int = 0
    stuck: int = 0
    at: float | None = None

    @property
    def weight(self) -> Status:
        """What it does to its probe: a check that is not critical never does worse than WARN."""
        status = self.status or Status.FAIL
        return Status.WARN if status is Status.FAIL and not self.critical else status


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to a probe.

    Args:
        probe: Which.
        status: PASS and WARN are a yes.
        checks: Those it was made of, in the order they were added.
        notes: Why it is what it is where no check says so: starting, draining.
    """

    probe: Probe
    status: Status
    checks: tuple[CheckReport, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the answer is yes."""
        return self.status is not Status.FAIL

    @property
    def code(self) -> int:
        """The HTTP status: 200 for yes, 503 for no."""
        return 200 if self.ok else 503

    def to_dict(self, *, verbose: bool = False) -> dict[str, Any]:
        """As the draft health+json has it; without `verbose` only the status."""
        if not verbose:
            return {"status": self.status.value}
        body: dict[str, Any] = {"status": self.status.value}
        if self.notes:
            body["notes"] = list(self.notes)
        body["checks"] = {check.name: [_entry(check)] for check in self.checks}
        return body


def judge(probe: Probe, checks: Iterable[CheckReport], *, started: bool, draining: str | None, held: bool) -> Report:
    """What a probe is answered. Pure.

    Args:
        probe: Who asks.
        checks: Reports of the checks that have a say, see `concerned`.
        started: Whether startup is over.
        draining: Why no more requests are wanted; None while they are.
        held: Whether startup waits for the service to say that it is done.
    """
    reports = tuple(checks)
    status = worst(report.weight for report in reports)
    notes = []
    if not started:
        notes.append("starting: waits for startup_done()" if held else "starting")
        if probe is not Probe.LIVE:
            status = Status.FAIL
    if draining is not None:
        notes.append(f"draining: {draining}")
        if probe is Probe.READY:
            status = Status.FAIL
    return Report(probe, status, reports, tuple(notes))


def concerned(probe: Probe, *, started: bool) -> frozenset[Probe]:
    """Whose checks have a say in a probe.

    A start that is over is over; until then nothing else is asked, so that no probe kills what is only slow to start. A
    process that is to be restarted is not to be sent requests either.
    """
    if not started:
        return frozenset() if probe is Probe.LIVE else frozenset({Probe.STARTUP})
    return {
        Probe.LIVE: frozenset({Probe.LIVE}),
        Probe.READY: frozenset({Probe.LIVE, Probe.READY}),
        Probe.STARTUP: frozenset[Probe](),
    }[probe]


def _entry(check: CheckReport) -> dict[str, Any]:
    from datetime import UTC, datetime

    # Names with a capital in them are the draft's, the others ours: it allows for more.
    entry: dict[str, Any] = {"status": (check.status or Status.FAIL).value}
    if check.value is not None:
        entry["observedValue"] = check.value
    if check.unit:
        entry["observedUnit"] = check.unit
    if check.at is not None:
        entry["time"] = datetime.fromtimestamp(check.at, UTC).isoformat(timespec="milliseconds")
    if check.output:
        entry["output"] = check.output
    entry |= {"probe": check.probe.value, "critical": check.critical, "streak": check.streak, "stuck": check.stuck}
    for name in ("age", "took", "since"):
        value = getattr(check, name)
        if value is not None:
            entry[name] = round(value, 6)
    return entry
