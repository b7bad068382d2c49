"""What the documents say of false alarms and delays is what is measured."""

from __future__ import annotations

from tests.recorded.measure import DETECTORS, PAGE, measure, recorded, table


def test_the_table_of_the_page_is_current() -> None:
    """`python -m tests.recorded.measure` rewrites it."""
    assert f"<!-- measured: ours -->\n{table(DETECTORS)}" in PAGE.read_text()


def test_the_defaults_are_worth_it() -> None:
    """Beside a bound that a person has chosen well, Cusum raises few false alarms and still finds every slow answer."""
    values = recorded()["card_p95"]
    chosen, cusum = (measure(DETECTORS[name], values, 2.0) for name in ("Bounds, well chosen", "Cusum"))
    assert cusum.false < chosen.false / 5
    assert cusum.found == 1.0
