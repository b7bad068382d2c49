"""Snapshots with everything in them that exports have to bear."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from seawall.measure import Histogram
from seawall.observe import Distribution, Exemplar, Family, Sample, Snapshot

NASTY = 'a"b\\c\nd é 🚢 =,{}|#:'


def distribution(values: Iterable[float], highest: float = 3600.0, digits: int = 3) -> Distribution:
    """What a histogram holds after these values."""
    histogram = Histogram(highest=highest, digits=digits)
    histogram.record_many(list(values))
    return Distribution.of(histogram)


def labels(**values: str) -> tuple[tuple[str, str], ...]:
    """Labels of a sample."""
    return tuple(sorted(values.items()))


def shop(at: float = 1_700_000_000.0, times: int = 1) -> Snapshot:
    """A service: a counter with an exemplar, gauges of any number, a histogram with exemplars, and awkward labels."""
    trace = Exemplar(labels(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7"), 0.3, at - 1)
    took = distribution([0.003, 0.03, 0.3, 3.0, 30.0] * times)
    families = (
        Family(
            "http_requests",
            "counter",
            (
                Sample(labels(code="200", route="/a"), 90.0 * times, (trace._replace(value=1.0),)),
                Sample(labels(code="500", route=NASTY), 10.0 * times),
            ),
            'Requests answered,\nby "route" and code \\o/.',
        ),
        Family("http_request", "histogram", (Sample(labels(route="/a"), took, (trace,)),), "How long.", "seconds"),
        Family("pool_used_ratio", "gauge", (Sample((), 0.25),), "Full.", "ratio"),
        Family("temperature", "gauge", (Sample(labels(place="out"), -7.5), Sample(labels(place="in"), float("inf")))),
        Family("nothing", "counter", ()),
    )
    return Snapshot(at, families)


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NUMBERS = st.floats(allow_nan=False, width=64)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any families with any texts in labels and help, and any numbers."""
    families = []
    for place, kind in enumerate(draw(st.lists(st.sampled_from(["counter", "gauge", "histogram"]), max_size=3))):
        sets = draw(st.lists(st.tuples(TEXTS, TEXTS), unique=True, min_size=1, max_size=3))
        values = {
            "counter": st.floats(0, 1e300),
            "gauge": NUMBERS,
            "histogram": st.lists(st.floats(0, 100), max_size=5).map(distribution),
        }[kind]
        samples = tuple(Sample(labels(first=one, second=two), draw(values)) for one, two in sets)
        families.append(Family(f"m{place}", kind, samples, draw(TEXTS)))  # type: ignore[arg-type]
    return Snapshot(1.0, tuple(families))
