"""Service level objectives: how fast the error budget burns, and alerts when that is too fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from seawall.errors import ConfigError
from seawall.observe._recording import Recording
from seawall.observe._snapshot import Labels, Selector, Snapshot
from seawall.observe.alerts._checks import labels_of, name_of, seconds_of, texts_of
from seawall.observe.alerts._moment import Moment
from seawall.observe.alerts._mutes import Inhibition
from seawall.observe.alerts._readings import Values
from seawall.observe.alerts._rule import Rule
from seawall.observe.alerts._slo_sums import Counting, Sums
from seawall.observe.alerts._times import lasting

HOUR, DAY = 3_600.0, 86_400.0


class BurnWindow(NamedTuple):
    """Alert when the budget burns `factor` times too fast over the long and over the short window.

    Units: seconds.
    """

    factor: float
    long: float
    short: float
    severity: str


WORKBOOK = (
    BurnWindow(14.4, HOUR, 300.0, "page"),
    BurnWindow(6.0, 6 * HOUR, 1_800.0, "page"),
    BurnWindow(3.0, DAY, 2 * HOUR, "ticket"),
    BurnWindow(1.0, 3 * DAY, 6 * HOUR, "ticket"),
)
"""What the SRE workbook recommends: 2 % and 5 % of the budget of 30 days page, 10 % writes a ticket."""

SUMMARY = (
    "{slo} burns its error budget {burn:.3g} times too fast (over {window}); "
    "{budget_left:.1%} of the budget is left, gone in {exhaustion}"
)


@dataclass(frozen=True, slots=True)
class SloStatus:
    """How an objective stands.

    Attributes:
        objective: The share of good events that is promised.
        bad: Bad events in what is known of the period.
        total: All events in it.
        covered: Seconds of the period that are known; events before that count as good.
        budget_left: Share of the period's error budget; negative when it is overdrawn.
        burn: How many times too fast the budget burns, by window in seconds; None where nothing came.
        exhaustion: Seconds until the budget is gone at the burn of the shortest long window; None when never.
    """

    objective: float
    bad: float
    total: float
    covered: float
    budget_left: float
    burn: Mapping[float, float | None]
    exhaustion: float | None


class Slo:
    """A promise such as "99.9 % of requests succeed over 30 days", and the alerts that keep it.

    Guarantees: what is not known of a window counts as good events at the same traffic: a fresh start does not alert
    for its first error, a real outage is seen as soon as it costs enough.

    Units: seconds.
    Cost: each snapshot is counted once; a look over three days takes about 2 ms, and 0.5 ms for each series.

    Args:
        name: The label `slo`.
        objective: Share of good events, such as 0.999.
        bad: Counters of bad events; needs `total`...
        total: Counters of all events.
        latency: ... or a histogram; needs `within`.
        within: A value beyond this is a bad event; units of the histogram.
        by: Labels; an objective for each combination of their values.
        period: Over which the promise is made.
        windows: When to alert.
        least_bad: Fewer bad events than this in the long window never alert, however few events there are in all.
        labels: Further labels of the alerts.
        annotations: Texts for people; by default a summary. Beside what rules have: `{slo}`, `{burn}`, `{window}`,
            `{budget_left}`, `{exhaustion}`, `{objective}`.

    Raises:
        ConfigError: what cannot be.

    Source: Google, The Site Reliability Workbook, chapter 5, "Alerting on SLOs", section 6.

    Example:
        >>> slo = Slo("checkout", 0.999, bad=Selector("requests", code="500"), total="requests")
        >>> [rule.key for rule in slo.rules()]
        ['SloBurn checkout/page', 'SloBurn checkout/ticket']
    """

    def __init__(
        self,
        name: str,
        objective: float,
        *,
        bad: Selector | str | None = None,
        total: Selector | str | None = None,
        latency: Selector | str | None = None,
        within: float | None = None,
        by: str | Sequence[str] = (),
        period: float = 30 * DAY,
        windows: Sequence[BurnWindow] = WORKBOOK,
        least_bad: float = 1.0,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name_of(name, "name")
        if not isinstance(objective, (int, float)) or not 0 < objective < 1:
            raise ConfigError(f"objective must be a share between 0 and 1, got {objective!r}; 0.999 is usual")
        self.objective = float(objective)
        counters, histogram = (bad is not None, total is not None), (latency is not None, within is not None)
        if not ((all(counters) and not any(histogram)) or (all(histogram) and not any(counters))):
            raise ConfigError("an Slo needs bad= and total= (counters), or latency= and within= (a histogram)")
        self.by = labels_of(by, "by")
        self.period = seconds_of(period, "period", least=60.0)
        self.windows = tuple(BurnWindow(*window) for window in windows)
        _check_windows(self.windows, self.period)
        self.least_bad = least_bad
        self.labels = texts_of(labels or {}, "labels")
        self.annotations = texts_of({"summary": SUMMARY} if annotations is None else annotations, "annotations")
        what = Selector.of(latency if bad is None else bad)  # type: ignore[arg-type]  # one is given
        self._counting = Counting(what, None if total is None else Selector.of(total), within, self.by)

    def rules(self) -> tuple[Rule, ...]:
        """One for each severity; it fires when any of its windows does."""
        severities = dict.fromkeys(window.severity for window in self.windows)
        return tuple(
            Rule(
                f"SloBurn {self.name}",
                Burn(self, tuple(window for window in self.windows if window.severity == severity)),
                above=1 - 1e-9,  # reaching the factor is enough, whatever a float makes of it
                by=self.by,
                severity=severity,
                no_data="ok",
                labels={**self.labels, "slo": self.name},
                annotations=self.annotations,
            )
            for severity in severities
        )

    def inhibition(self) -> Inhibition:
        """The first severity makes the others needless for the same objective and group."""
        first, *others = dict.fromkeys(window.severity for window in self.windows)
        same = {"slo": self.name}
        target = [f'slo="{self.name}"', 'severity=~"' + "|".join(others or ["(?!)"]) + '"']
        return Inhibition({**same, "severity": first}, target, equal=("slo", *self.by))

    def status(self, recording: Recording | Sequence[Snapshot], now: float | None = None) -> dict[Labels, SloStatus]:
        """How it stands, by group; without `by` for the group ().

        Args:
            recording: Reaching back over the period for the budget to be exact, as one with a tier of
                (3600, 30 * 86400) does.
            now: Unix seconds; by default those of the latest snapshot.
        """
        snapshots = tuple(recording)
        if not snapshots:
            return {}
        now = snapshots[-1].at if now is None else now
        sums = self._counting.sums(snapshots)
        return {group: self._status(sums, group, now) for group in sums.groups(now)}

    def _status(self, sums: Sums, group: Labels, now: float) -> SloStatus:
        bad, total, covered = sums.over(group, self.period, now) or (0.0, 0.0, 0.0)
        spent = self._burn(sums, group, self.period, now) or 0.0
        spans = sorted({span for window in self.windows for span in (window.long, window.short)})
        burn = {span: self._burn(sums, group, span, now) for span in spans}
        pace = burn[min(window.long for window in self.windows)] or 0.0
        left = 1 - spent
        gone = None if pace <= 0 else max(0.0, left) * self.period / pace
        return SloStatus(self.objective, bad, total, covered, left, burn, gone)

    def _burn(self, sums: Sums, group: Labels, seconds: float, now: float) -> float | None:
        """How many times too fast the budget burns; None where nothing came."""
        found = sums.over(group, seconds, now)
        if found is None or not found[1]:
            return None
        bad, total, covered = found
        return bad / total / (1 - self.objective) * min(1.0, covered / seconds)

    def __repr__(self) -> str:
        by = f" by {', '.join(self.by)}" if self.by else ""
        return f"<Slo {self.name!r}: {self.objective:.6g} over {lasting(self.period)}{by}>"


class Burn:
    """How far the burn of an objective is over its nearest limit: 1 is at it.

    Args:
        slo: The objective.
        windows: Of which the worst counts; of each, the calmer of its two.
    """

    __slots__ = ("_slo", "_windows")

    def __init__(self, slo: Slo, windows: tuple[BurnWindow, ...]) -> None:
        self._slo, self._windows = slo, windows

    def values(self, moment: Moment, by: tuple[str, ...]) -> Values:  # noqa: ARG002 - the objective has its own
        """Of each group."""
        sums = moment.sums(self._slo._counting)
        return {group: self._worst(sums, group, moment.now)[0] for group in sums.groups(moment.now)}

    def fields(self, moment: Moment, by: tuple[str, ...]) -> Mapping[Labels, Mapping[str, Any]]:  # noqa: ARG002
        """What texts may name, of the groups near their limit."""
        sums = moment.sums(self._slo._counting)
        found: dict[Labels, Mapping[str, Any]] = {}
        for group in sums.groups(moment.now):
            _, window = self._worst(sums, group, moment.now)
            status = self._slo._status(sums, group, moment.now)
            found[group] = {
                "burn": status.burn[window.long],
                "window": f"{lasting(window.long)} and {lasting(window.short)}",
                "budget_left": status.budget_left,
                "exhaustion": "never" if status.exhaustion is None else lasting(status.exhaustion),
                "objective": self._slo.objective,
            }
        return found

    def _worst(self, sums: Sums, group: Labels, now: float) -> tuple[float | None, BurnWindow]:
        found = [(self._over(window, sums, group, now), window) for window in self._windows]
        known = [(over, window) for over, window in found if over is not None]
        return max(known, key=lambda pair: pair[0]) if known else (None, self._windows[0])

    def _over(self, window: BurnWindow, sums: Sums, group: Labels, now: float) -> float | None:
        came = sums.over(group, window.long, now)
        if came is None:
            return None
        long, short = (self._slo._burn(sums, group, span, now) for span in (window.long, window.short))
        if came[0] < self._slo.least_bad:
            return 0.0
        # Nothing came in the short window: nothing failed in it.
        return min(long or 0.0, short or 0.0) / window.factor

    def __repr__(self) -> str:
        return (
            f"<Burn of {self._slo.name!r} over {', '.join(f'{w.factor:g}x/{lasting(w.long)}' for w in self._windows)}>"
        )


def _check_windows(windows: Sequence[BurnWindow], period: float) -> None:
    if not windows:
        raise ConfigError("windows must hold at least one BurnWindow, got none")
    for window in windows:
        if not (window.factor > 0 and 0 < window.short <= window.long <= period):
            raise ConfigError(f"a BurnWindow needs factor > 0 and 0 < short <= long <= period, got {window}")
