"""When the alerts of an objective fire, measured by running them over services that fail at a constant rate."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.observe import Family, Sample, Snapshot
from seawall.observe.alerts import WORKBOOK, BurnWindow, Slo, backtest

OBJECTIVE, PERIOD, PACE = 0.999, 30 * 86_400.0, 100.0
ERRORS = (1.0, 0.10, 0.0144, 0.006, 0.003, 0.001, 0.0009)
CLEAN = 4 * 86_400.0


def slo(windows: Sequence[BurnWindow] = WORKBOOK) -> Slo:
    """An objective of 99.9 % over 30 days."""
    return Slo("web", OBJECTIVE, bad="failed", total="served", windows=windows)


def service(error: float, fails_for: float, step: float, after: float = 0.0) -> list[Snapshot]:
    """100 requests a second: four clean days, then `error` of them fail for a while, then it is clean again.

    The clean days are as thin as a Recording keeps them.
    """
    ats = [
        -at
        for far, near, thin in ((CLEAN, 21_600, 600), (21_600, 3_600, 60), (3_600, 0, 10))
        for at in _down(far, near, thin)
    ]
    ats.append(0.0)
    ats += [place * step for place in range(1, int((fails_for + after) / step) + 1)]
    made = []
    for at in ats:
        failed = PACE * error * min(max(at, 0.0), fails_for)
        counters = {"failed": failed, "served": PACE * (at + CLEAN)}
        made.append(
            Snapshot(at + CLEAN, tuple(Family(n, "counter", (Sample((), value),)) for n, value in counters.items()))
        )
    return made


def _down(far: float, near: float, step: float) -> list[float]:
    return [far - place * step for place in range(int((far - near) / step))]


def detection(error: float, severity: str, windows: Sequence[BurnWindow] = WORKBOOK) -> float | None:
    """Seconds from the first error until the alert fires; None when it never does."""
    rules = [rule for rule in slo(windows).rules() if rule.severity == severity]
    expected = published_detection(error, severity, windows)
    longest = max(window.long for window in windows if window.severity == severity)
    step = (longest if expected is None else expected) / 200
    report = backtest(rules, service(error, step * 240, step), begin=CLEAN)
    return report.fired[0].fired_at - CLEAN if report.fired else None


def reset(error: float, severity: str, windows: Sequence[BurnWindow] = WORKBOOK) -> float | None:
    """Seconds from the last error until the alert resolves, after a failure half as long again as it takes to fire."""
    rules = [rule for rule in slo(windows).rules() if rule.severity == severity]
    expected = published_detection(error, severity, windows)
    if expected is None:
        return None
    shorts = [w.short for w in windows if w.severity == severity and error >= w.factor * (1 - OBJECTIVE) - 1e-12]
    fails_for = max(1.5 * expected, *shorts)  # the short window then holds nothing but errors
    step = min(shorts) / 100
    after = max(shorts) * 1.2
    snapshots = service(error, fails_for, step, after)
    ended = backtest(rules, snapshots, begin=CLEAN).fired[0].ended_at
    return None if ended is None else ended - CLEAN - fails_for


def published_detection(error: float, severity: str, windows: Sequence[BurnWindow] = WORKBOOK) -> float | None:
    """The workbook: (1 - SLO) / error ratio x window x burn rate, of the window that is over its factor first."""
    budget = 1 - OBJECTIVE
    found = [
        window.factor * window.long * budget / error
        for window in windows
        if window.severity == severity and error >= window.factor * budget - 1e-12
    ]
    return min(found) if found else None


def lasting(seconds: float | None) -> str:
    """A duration in the unit that fits."""
    if seconds is None:
        return "never"
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}" if seconds < 10 * size else f"{seconds / size:.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def table() -> str:
    """The table of the page."""
    lines = [
        "| requests that fail | burn | page after | workbook | budget spent | resolves after "
        "| ticket after | workbook |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for error in ERRORS:
        page, ticket = detection(error, "page"), detection(error, "ticket")
        spent = "" if page is None else f"{page * error / (1 - OBJECTIVE) / PERIOD:.1%}"
        cells = [
            f"{error:.4g}" if error < 0.0001 else f"{error * 100:.4g} %",
            f"{error / (1 - OBJECTIVE):.4g}",
            lasting(page),
            lasting(published_detection(error, "page")),
            spent,
            "" if page is None else lasting(reset(error, "page")),
            lasting(ticket),
            lasting(published_detection(error, "ticket")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
