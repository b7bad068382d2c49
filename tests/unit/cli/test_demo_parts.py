"""The demo's pure parts: what is told, drawn and judged."""

from __future__ import annotations

import json

import pytest

from seawall.cli.demo._round_view import binned, breaker_lane, troubles_lane
from seawall.cli.demo._settings import Settings
from seawall.cli.demo._telling import Teller
from seawall.cli.demo._verdict import Numbers, verdict
from seawall.clock import ManualClock
from seawall.measure.load import Note


def test_what_happens_often_is_told_at_once_and_then_with_a_count() -> None:
    """Four lines a second at most for each name; nothing goes uncounted once the next line comes."""
    lines: list[str] = []
    clock = ManualClock()
    tell = Teller(lines.append, clock)
    for _ in range(3):
        tell.often("bulkhead full", "3 calls in flight")
    tell.often("timeout")
    clock.advance(0.25)
    tell.often("bulkhead full", "3 calls in flight")
    clock.advance(0.25)
    tell.often("bulkhead full")
    assert [json.loads(line) for line in lines] == [
        {"event": "bulkhead full", "text": "3 calls in flight"},
        {"event": "timeout", "text": ""},
        {"event": "bulkhead full", "text": "3 calls in flight; 2 more since the last line"},
        {"event": "bulkhead full", "text": ""},
    ]


def test_settings_reach_a_service_as_they_are() -> None:
    """Through JSON and back."""
    settings = Settings(limit=12.5, seed=3)
    assert Settings.of(json.loads(json.dumps(settings.facts()))) == settings


@pytest.mark.parametrize(
    ("plain", "guarded", "said"),
    [
        (
            Numbers(440, 41, 0, 399, 0.438),
            Numbers(440, 197, 234, 9, 0.300),
            "with guards 4.8 times as many requests succeeded, faster: P99 300 ms instead of 438 ms; "
            "53% were refused at once, 2% failed; without, 91% failed",
        ),
        (
            Numbers(100, 90, 0, 10, 0.4),
            Numbers(100, 63, 37, 0, 0.5),
            "with guards 30% fewer requests succeeded, more slowly: P99 500 ms instead of 400 ms; "
            "37% were refused at once, 0% failed; without, 10% failed",
        ),
        (
            Numbers(100, 100, 0, 0, 0.1),
            Numbers(100, 100, 0, 0, 0.1),
            "with guards about as many requests succeeded, about as fast; without, 0% failed",
        ),
        (
            Numbers(100, 0, 0, 100, None),
            Numbers(100, 20, 80, 0, 0.1),
            "with guards 20 requests succeeded, without them none; "
            "80% were refused at once, 0% failed; without, 100% failed",
        ),
        (Numbers(10, 0, 0, 10, None), Numbers(10, 0, 10, 0, None), "neither answered anything"),
    ],
)
def test_a_verdict_says_what_the_numbers_say(plain: Numbers, guarded: Numbers, said: str) -> None:
    """For the guards or against them."""
    assert verdict(plain, guarded) == said


def test_counts_over_time_keep_their_sum() -> None:
    """Each slice counts in one part, whatever the two widths are."""
    rates = binned(0.07, [3] * 50, span=3.5, width=32)
    assert sum(rate * 3.5 / 32 for rate in rates) == pytest.approx(150)


def test_a_breaker_that_was_open_for_less_than_a_column_is_seen() -> None:
    """The lane shows the worst state of each column."""
    notes = [
        Note(1.0, "breaker open", "event"),
        Note(1.1, "breaker half open", "event"),
        Note(1.2, "breaker closed", "event"),
        Note(2.5, "breaker open", "event"),
        Note(3.5, "breaker half open", "event"),
        Note(3.6, "bulkhead full", "event"),
    ]
    assert breaker_lane(notes, span=5.0, width=5).plain == "·███▒"


def test_trouble_is_drawn_where_it_was() -> None:
    """A trouble that was not over when the run was cut short lasts to the end."""
    notes = [Note(2.0, "slow spell", "event"), Note(6.0, "slow spell over", "event"), Note(8.0, "error burst", "event")]
    assert troubles_lane(notes, span=10.0, width=20).plain == "····──slow──····err─"
    assert troubles_lane(notes[:1], span=10.0, width=10).plain == "··──slow──"
