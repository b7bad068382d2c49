"""What the three probes are answered."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from seawall.clock import ManualClock
from seawall.engines import open_engine
from seawall.errors import ConfigError
from seawall.monitor.health import (
    EngineCheck,
    Health,
    HttpCheck,
    Outcome,
    Probe,
    RedisCheck,
    SqlCheck,
    Status,
    TcpCheck,
)

GOLDEN = Path(__file__).resolve().parents[4] / "tests" / "golden" / "health.txt"
OUTCOMES = {"pass": Outcome.passed(), "warn": Outcome.warned("odd"), "fail": Outcome.failed("away")}


def row(phase: str, probe: str, critical: bool, outcome: str) -> str:
    """One line of the table: a service in a phase, with one check, and what its endpoints answer."""
    health = Health(hold_startup=phase == "starting" and probe != "startup", clock=ManualClock())
    health.add("it", lambda: OUTCOMES[outcome], probe=probe, critical=critical, ttl=3600)
    health.ask("ready")
    if phase == "draining":
        health.drain()
    answers = [f"{report.code} {report.status.value:5}" for report in map(health.ask, ("live", "ready", "startup"))]
    return f"{phase:9} {probe:8} {'critical' if critical else 'degrades':9} {outcome:8} {'  '.join(answers)}".rstrip()


def table() -> str:
    """Every phase, probe, criticality and outcome."""
    lines = [f"{'phase':9} {'check of':8} {'it is':9} {'finds':8} /livez     /readyz    /startupz"]
    for phase, probe, critical, outcome in itertools.product(
        ("starting", "started", "draining"), ("live", "ready", "startup"), (True, False), OUTCOMES
    ):
        if probe != "startup" or phase == "starting":
            lines.append(row(phase, probe, critical, outcome))
    return "\n".join(lines) + "\n"


def test_the_semantics_are_those_of_the_golden_table() -> None:
    """They change only on purpose: `python -m tests.unit.monitor.health.test_health` rewrites the table."""
    assert table() == GOLDEN.read_text()


def test_no_dependency_decides_liveness() -> None:
    """The table again: wherever a check of readiness fails, livez says 200."""
    assert {line.split()[4] for line in table().splitlines() if line.split()[1] in ("ready", "startup")} == {"200"}


def test_startup_gates_the_others_until_its_checks_have_passed() -> None:
    """Until then nothing but startup is asked; afterwards it is asked no more."""
    clock, answers, asked = ManualClock(), [False, True], []
    health = Health(clock=clock)
    health.add("migrated", lambda: asked.append("startup") or answers.pop(0), probe="startup", ttl=0)
    health.add("database", lambda: asked.append("ready"), ttl=0)
    health.add("loop", lambda: asked.append("live"), probe="live", ttl=0)
    codes = [(health.ask("live").code, health.ask("ready").code) for _ in range(3)]
    assert codes == [(200, 503), (200, 200), (200, 200)]
    assert (asked[:2], set(asked[2:])) == (["startup", "startup"], {"live", "ready"})


def test_startup_that_is_held_waits_for_the_service() -> None:
    """Its checks alone do not end it."""
    health = Health(hold_startup=True, clock=ManualClock())
    health.add("migrated", lambda: True, probe="startup")
    report = health.ask("startup")
    assert (report.code, report.notes) == (503, ("starting: waits for startup_done()",))
    health.startup_done()
    assert (health.ask("startup").code, health.started) == (200, True)


def test_a_start_that_is_over_is_never_taken_back() -> None:
    """A check of startup that would fail now is not asked."""
    answers = [True]
    health = Health(clock=ManualClock())
    health.add("migrated", answers.pop, probe="startup", ttl=0)
    health.ask("startup")
    assert (health.ask("startup").code, health.ask("ready").code) == (200, 200)


def test_draining_ends_readiness_and_may_be_taken_back() -> None:
    """For maintenance, say."""
    health = Health(clock=ManualClock())
    assert health.ask().ok
    health.drain("maintenance, password=hunter2")
    report = health.ask()
    assert (report.code, report.notes) == (503, ("draining: maintenance, password=***",))
    assert health.ask("live").notes == ("draining: maintenance, password=***",)
    health.resume()
    assert health.ask().ok


def test_ever_ready_is_what_somebody_was_told() -> None:
    """Only an answer counts, not what is known."""
    health = Health(clock=ManualClock())
    health.ask("live")
    health.known("ready")
    assert not health.ever_ready
    health.ask("ready")
    assert health.ever_ready


def test_thresholds_are_counted_by_runs_not_by_askers() -> None:
    """Three load balancers that ask at once are one answer."""
    clock = ManualClock()
    health = Health(clock=clock)
    answers = [True, False, False, False, True, True]
    health.add("database", lambda: answers.pop(0), failures=3, successes=2, ttl=10)
    seen = []
    for _ in range(6):
        seen.append({health.ask().code for _ in range(3)})
        clock.advance(10)
    assert seen == [{503}, {503}, {503}, {503}, {503}, {200}]


def test_checks_run_side_by_side() -> None:
    """Each waits until all have begun."""
    import threading

    together = threading.Barrier(8)
    health = Health(clock=ManualClock())
    for number in range(8):
        health.add(f"check {number}", lambda: together.wait(30) is not None, timeout=60)
    assert health.ask().status is Status.PASS


@pytest.mark.parametrize(
    "check",
    [
        HttpCheck("http://db/"),
        TcpCheck("db", 5432),
        SqlCheck(lambda: None),
        RedisCheck("redis://cache"),
        EngineCheck(open_engine("memory://")),
    ],
    ids=repr,
)
def test_a_check_of_a_dependency_cannot_decide_liveness(check: object) -> None:
    """It is refused where it is added."""
    with pytest.raises(ConfigError) as refused:
        Health().add("database", check, probe=Probe.LIVE)
    assert str(refused.value) == (
        "check 'database' asks a dependency and cannot decide 'live': a restart heals no dependency, and all replicas "
        "would restart at once; use probe='ready'"
    )


def test_names_are_unique_and_can_be_shown() -> None:
    """They are keys of the page."""
    health = Health()
    health.add("a", bool)
    with pytest.raises(ConfigError, match="there is a check 'a' already; names are keys of the page, choose another"):
        health.add("a", bool)
    for name in ("", "a\nb", "x" * 101, 7):
        with pytest.raises(ConfigError, match="the name of a check must be 1 to 100 printable characters"):
            health.add(name, bool)
    with pytest.raises(ConfigError, match="check 'b' must be a function without arguments, got str"):
        health.add("b", "database")
    assert health.remove("a")
    assert not health.remove("a")


def test_a_check_of_startup_must_come_before_it_is_over() -> None:
    """Else it would never be asked."""
    health = Health()
    health.ask()
    with pytest.raises(ConfigError) as refused:
        health.add("late", bool, probe="startup")
    assert str(refused.value) == "startup is over, check 'late' comes too late; use Health(hold_startup=True)"


def test_an_unknown_probe_is_refused() -> None:
    """With those there are."""
    with pytest.raises(ConfigError, match="probe must be one of 'live', 'ready', 'startup', got 'alive'"):
        Health().ask("alive")


def test_health_is_a_snapshot_of_metrics() -> None:
    """Nothing is asked for it."""
    health = Health(clock=ManualClock())
    health.add("cache", lambda: False, critical=False)
    health.add("database", lambda: True)
    health.ask()
    snapshot = health.snapshot()
    assert {
        family.name: [(dict(sample.labels), sample.value) for sample in family.samples] for family in snapshot.families
    } == {
        "seawall_health_check_seconds": [({"check": "cache"}, 0.0), ({"check": "database"}, 0.0)],
        "seawall_health_check_status": [
            ({"check": "cache", "probe": "ready"}, 2.0),
            ({"check": "database", "probe": "ready"}, 0.0),
        ],
        "seawall_health_check_stuck": [({"check": "cache"}, 0.0), ({"check": "database"}, 0.0)],
        "seawall_health_status": [({"probe": "live"}, 0.0), ({"probe": "ready"}, 1.0), ({"probe": "startup"}, 0.0)],
    }
    json.dumps(snapshot.to_dict())


if __name__ == "__main__":
    GOLDEN.write_text(table())
