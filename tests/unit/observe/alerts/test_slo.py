"""Objectives against the tables of the SRE workbook, chapter 5."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.unit.observe.alerts.slo_table import (
    CLEAN,
    ERRORS,
    OBJECTIVE,
    PERIOD,
    detection,
    published_detection,
    reset,
    service,
    slo,
    table,
)  # fmt: skip

from seawall.errors import ConfigError
from seawall.measure import Histogram
from seawall.observe import Distribution, Family, Recording, Sample, Selector, Snapshot
from seawall.observe.alerts import WORKBOOK, BurnWindow, Rule, Slo, backtest

PAGE = Path(__file__).resolve().parents[4] / "docs" / "how-to" / "slo.md"


@pytest.mark.parametrize("severity", ["page", "ticket"])
@pytest.mark.parametrize("error", ERRORS)
def test_it_fires_when_the_workbook_says(error, severity):
    """Detection is (1 - SLO) / error ratio x window x burn rate, within 2 % and a look."""
    found, published = detection(error, severity), published_detection(error, severity)
    if published is None:
        assert found is None
    else:
        assert published * 0.99 <= found <= published * 1.02 + 11  # a recording of the last hour has 10 s steps


@pytest.mark.parametrize(("error", "spent"), [(0.0144, 0.02), (0.006, 0.05), (0.003, 0.10), (0.001, 0.10)])
def test_what_it_costs_until_it_fires(error, spent):
    """The workbook's shares of the budget: 2 % and 5 % for a page, 10 % for a ticket."""
    fired = detection(error, "page" if error > 0.003 else "ticket")
    assert fired * error / (1 - OBJECTIVE) / PERIOD == pytest.approx(spent, rel=0.02)


def test_numbers_the_workbook_prints():
    """0.6 s for a full outage and 10 minutes at 1x; 58 minutes until a single hour at 36x resolves; 43 min at 1000x."""
    assert detection(1.0, "page", (BurnWindow(1, 600, 600, "page"),)) == pytest.approx(0.6, rel=0.02)
    assert reset(1.0, "page", (BurnWindow(36, 3_600, 3_600, "page"),)) == pytest.approx(58 * 60, rel=0.01)
    status = slo().status(service(1.0, 3_600, 10))[()]
    assert status.burn[3_600] == pytest.approx(1000)
    fresh = slo().status(service(1.0, 1.0, 1.0))[()]
    assert pytest.approx(43.2) == PERIOD / 1000 / 60
    assert fresh.budget_left == pytest.approx(1 - 1 / 2_592, rel=1e-3)


def test_the_short_window_lets_it_resolve_soon():
    """At 2 % the page ends within the five minutes, not the hour, that hold the errors."""
    assert reset(0.02, "page") == pytest.approx(300 * (1 - 14.4 / 20), abs=6)


def test_the_table_of_the_page_is_current():
    """The page shows what is measured; `python -m tests.unit.observe.alerts.test_slo` rewrites it."""
    assert table() in PAGE.read_text()


def test_budget_and_exhaustion():
    """What is left, how fast it goes, and when it is gone, over what is known of the period."""
    status = slo().status(service(0.01, 3_600, 60))[()]
    assert (status.bad, status.total) == (pytest.approx(3_600), pytest.approx(100 * (CLEAN + 3_600)))
    assert status.covered == CLEAN + 3_600
    spent = 0.01 * 3_600 / (0.001 * PERIOD)
    assert status.budget_left == pytest.approx(1 - spent)
    assert status.burn[3_600] == pytest.approx(10, rel=0.01)
    assert status.exhaustion == pytest.approx((1 - spent) * PERIOD / 10, rel=0.01)
    clean = slo().status(service(0.0, 3_600, 60))[()]
    assert (clean.budget_left, clean.exhaustion) == (1.0, None)
    assert slo().status(Recording()) == {}


def test_a_fresh_start_does_not_alert_for_its_first_error():
    """One failure of the first ten requests is no outage; a full outage is seen in a minute, as after a clean hour."""
    rules = slo().rules()

    def started(failed: float) -> list[Snapshot]:
        return [
            Snapshot(
                at,
                (
                    Family("failed", "counter", (Sample((), failed * at),)),
                    Family("served", "counter", (Sample((), at),)),
                ),
            )
            for at in range(0, 120, 2)
        ]

    first = [Snapshot(0.0, (counters(0, 0))), Snapshot(10.0, counters(1, 10)), Snapshot(20.0, counters(1, 20))]
    assert not backtest(rules, first).fired
    fired = {episode.severity: episode.fired_at for episode in backtest(rules, started(1.0)).fired}
    assert fired == {"page": 52}


def counters(failed: float, served: float) -> tuple[Family, ...]:
    """Failed and served so far."""
    return (Family("failed", "counter", (Sample((), failed),)), Family("served", "counter", (Sample((), served),)))


def test_few_events_need_enough_bad_ones():
    """With `least_bad` a quiet service does not wake anybody for one failure."""
    past = [Snapshot(float(at), counters(1 if at > 600 else 0, at / 60)) for at in range(0, 86_400, 60)]
    assert backtest(Slo("q", 0.999, bad="failed", total="served").rules(), past).fired
    assert not backtest(Slo("q", 0.999, bad="failed", total="served", least_bad=2).rules(), past).fired


def test_a_worker_that_began_anew_takes_nothing_back():
    """Counters that went back count from 0: the budget does not come back with a restart."""
    past = [Snapshot(0.0, counters(0, 0)), Snapshot(60.0, counters(5, 1000)), Snapshot(120.0, counters(1, 100))]
    status = slo().status(past)[()]
    assert (status.bad, status.total) == (6, 1100)


def test_a_latency_objective_by_route():
    """Values beyond `within` are bad; each route has its own budget."""
    histograms = {"/fast": Histogram(), "/slow": Histogram()}
    past = []
    for at in range(0, 1_200, 10):
        for route, histogram in histograms.items():
            histogram.record_many([0.05] * 50 + [0.05 if route == "/fast" else 0.9] * 50)
        samples = tuple(Sample((("route", r),), Distribution.of(h)) for r, h in sorted(histograms.items()))
        past.append(Snapshot(float(at), (Family("seconds", "histogram", samples),)))
    latency = Slo("latency", 0.99, latency="seconds", within=0.3, by="route")
    statuses = latency.status(past)
    assert {dict(group)["route"]: status.bad for group, status in statuses.items()} == {"/fast": 0, "/slow": 5_950}
    assert statuses[("route", "/slow"),].burn[300] == pytest.approx(50)
    fired = backtest(latency.rules(), past).fired
    assert [(episode.group, episode.severity) for episode in fired] == [("route=/slow, slo=latency", "page")]


def test_page_hides_ticket():
    """The objective's own inhibition: while the page fires, the ticket need not be told."""
    hides = slo().inhibition()
    page, ticket = ({"alertname": "SloBurn web", "slo": "web", "severity": s} for s in ("page", "ticket"))
    assert hides.mutes(ticket, [page])
    assert not hides.mutes(page, [ticket])
    assert not hides.mutes({**ticket, "slo": "other"}, [{**page, "slo": "other"}])


def test_what_it_says():
    """The summary of an alert names burn, window, what is left and until when."""
    report = backtest(slo().rules(), service(0.2, 900, 15), begin=CLEAN)
    told = next(n for n in report.notifications if n.alerts[0].labels["severity"] == "page")
    assert told.alerts[0].annotations == {
        "summary": "web burns its error budget 16.7 times too fast (over 1h and 5m); "
        "97.7% of the budget is left, gone in 1d18h12m"
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"objective": 1.0}, "objective must be a share between 0 and 1, got 1.0; 0.999 is usual"),
        ({"total": None}, "an Slo needs bad= and total= (counters), or latency= and within= (a histogram)"),
        ({"latency": "x"}, "an Slo needs bad= and total= (counters), or latency= and within= (a histogram)"),
        ({"windows": ()}, "windows must hold at least one BurnWindow, got none"),
        (
            {"windows": [(1, 60, 120, "page")]},
            "a BurnWindow needs factor > 0 and 0 < short <= long <= period, got "
            "BurnWindow(factor=1, long=60, short=120, severity='page')",
        ),
    ],
)
def test_bad_objectives_are_refused(asked, said):
    """The message says what was wrong and what would be right."""
    options = {"objective": 0.999, "bad": "failed", "total": "served", **asked}
    with pytest.raises(ConfigError) as refused:
        Slo("web", **options)
    assert str(refused.value) == said


def test_rules_of_an_objective():
    """One rule for each severity of the windows."""
    assert [rule.severity for rule in slo().rules()] == ["page", "ticket"]
    assert [rule.severity for rule in slo(WORKBOOK[:2]).rules()] == ["page"]
    assert all(isinstance(rule, Rule) for rule in slo().rules())
    assert repr(slo()) == "<Slo 'web': 0.999 over 30d>"
    assert Selector("failed") == Selector.of("failed")


if __name__ == "__main__":
    head, _, rest = PAGE.read_text().partition("| requests that fail |")
    PAGE.write_text(head + table() + rest[rest.index("\n\n") :])
    sys.stdout.write("rewritten\n")
