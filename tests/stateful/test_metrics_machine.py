"""Metrics of two registries in one segment, and a private one, against dictionaries; read back from both texts."""

from __future__ import annotations

import shutil
import tempfile
from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as plain_families
from tests.oracles.metrics import Family, kept

from seawall.memory import Segment
from seawall.observe.metrics import Metrics

MOST = 4
BOUNDS = (0.5, 1.0, 64.0)
VALUES = st.sampled_from([0.25, 0.75, 2.0, 32.0, 80.0])  # far from the bounds: buckets are 1 % wide
TEXTS = st.one_of(
    st.sampled_from(["GET", "", 'quo"te', "back\\slash", "new\nline", "\U0001f600", "\\n", "overflow", "a,b={}"]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
)
LABELS = st.tuples(TEXTS, TEXTS)
COUNTS = st.one_of(st.integers(0, 10**6), st.floats(0, 1e6, allow_nan=False))
NAMES = ("hits", "level", "size")


class MetricsMachine(RuleBasedStateMachine):
    """Whoever counts and whoever reads, all agree with the dictionaries."""

    shared = True

    @initialize()
    def make(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="seawall-metrics")
        segment = Segment(f"{self.folder}/metrics", size=1 << 20) if self.shared else None
        one = Metrics(segment, max_series=MOST, labels={"job": 'w"'})
        self.metrics = [one, Metrics(segment, max_series=MOST, labels={"job": 'w"'}) if self.shared else one]
        self.hits, self.level, self.size = (Family(kind, 2, MOST) for kind in ("counter", "gauge", "histogram"))
        for metrics in self.metrics:
            metrics.counter("hits", "Of\n\\all.", ("a", "b"))
            metrics.gauge("level", "", ("a", "b"), across="last")
            metrics.histogram("size", "", ("a", "b"), lowest=1e-3, highest=100, bounds=BOUNDS)

    @rule(who=st.integers(0, 1), labels=LABELS, n=COUNTS)
    def count(self, who: int, labels: tuple[str, str], n: float) -> None:
        self.metrics[who].counter("hits", labels=("a", "b")).labels(*labels).inc(n, {"trace_id": "t"})
        self.hits.record(labels, kept(n))

    @rule(who=st.integers(0, 1), labels=LABELS, x=st.floats(-1e9, 1e9))
    def set(self, who: int, labels: tuple[str, str], x: float) -> None:
        self.metrics[who].gauge("level", labels=("a", "b"), across="last").labels(b=labels[1], a=labels[0]).set(x)
        self.level.record(labels, Fraction(x))

    @rule(who=st.integers(0, 1), labels=LABELS, x=VALUES)
    def observe(self, who: int, labels: tuple[str, str], x: float) -> None:
        family = self.metrics[who].histogram("size", "", ("a", "b"), lowest=1e-3, highest=100, bounds=BOUNDS)
        family.labels(*labels).observe(x, {"trace_id": "t"})
        self.size.record(labels, Fraction(x))

    @invariant()
    def snapshots_agree(self) -> None:
        for metrics in self.metrics:
            snapshot = metrics.snapshot()
            told = {
                name: {(dict(s.labels)["a"], dict(s.labels)["b"]): s.value for s in snapshot.family(name).samples}
                for name in NAMES
            }
            assert told["hits"] == {key: float(n) for key, n in self.hits.totals().items()}
            assert told["level"] == {key: float(n) for key, n in self.level.lasts().items()}
            sizes = {key: (value.count, value.sum) for key, value in told["size"].items()}
            assert sizes == {key: (len(self.size.series[key]), float(n)) for key, n in self.size.totals().items()}
            dropped = snapshot.family("seawall_metrics_dropped")
            lost = {dict(s.labels)["metric"]: s.value for s in dropped.samples} if dropped else {}
            families = zip(NAMES, (self.hits, self.level, self.size), strict=True)
            assert lost == {name: family.overflowed for name, family in families if family.overflowed}

    @invariant()
    def texts_agree(self) -> None:
        plain = self.metrics[0].to_prometheus().decode()
        opened = self.metrics[1].to_openmetrics(created=True).decode()
        for families in (plain_families(plain), open_families(opened)):
            samples = {
                (name, labels["a"], labels["b"], labels.get("le")): value
                for family in families
                for name, labels, value, *_ in family.samples
                if "a" in labels and not name.endswith("_created") and labels["job"] == 'w"'
            }
            wanted = {("hits_total", *key, None): float(n) for key, n in self.hits.totals().items()}
            wanted |= {("level", *key, None): float(n) for key, n in self.level.lasts().items()}
            for key, n in self.size.totals().items():
                wanted |= {("size_sum", *key, None): float(n), ("size_count", *key, None): len(self.size.series[key])}
                wanted["size_bucket", *key, "+Inf"] = len(self.size.series[key])
                for bound in BOUNDS:
                    wanted["size_bucket", *key, str(bound)] = self.size.up_to(BOUNDS)[key, bound]
            assert samples == wanted

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class PrivateMachine(MetricsMachine):
    """The same kernel in memory of its own."""

    shared = False


def test_shared_metrics_agree_with_dictionaries() -> None:
    """Whatever is counted by whom, snapshots and both texts say what the dictionaries hold."""
    run_state_machine_as_test(MetricsMachine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))


def test_private_metrics_agree_with_dictionaries() -> None:
    """The same for metrics of one process."""
    run_state_machine_as_test(PrivateMachine, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))
