"""Laws of health checks: thresholds, what an asker needs, and secrets."""

from __future__ import annotations

import string
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from seawall.monitor.health import Outcome, Status
from seawall.monitor.health._machine import Pace, State, Want, after, want
from seawall.monitor.health._scrub import LONGEST, Scrubber

OUTCOMES = st.sampled_from([Outcome.passed(), Outcome.warned("odd"), Outcome.failed("away")])
PACES = st.builds(Pace, *[st.integers(0, 50)] * 2, *[st.integers(1, 5)] * 3)


def good(status: Status | None) -> bool:
    """Whether a probe is answered yes."""
    return status in (Status.PASS, Status.WARN)


@given(st.lists(OUTCOMES, min_size=1, max_size=30), PACES)
def test_a_status_turns_only_after_so_many_answers_in_a_row(outcomes: list[Outcome], pace: Pace) -> None:
    """From bad to good and from good to bad; the very first failure counts at once."""
    state, seen = State(), [State()]
    for now, outcome in enumerate(outcomes):
        state = after(state, outcome, now, 0, pace)
        seen.append(state)
    for index in range(1, len(seen)):
        if good(seen[index].status) != good(seen[index - 1].status):
            needed = pace.successes if good(seen[index].status) else pace.failures
            row = outcomes[max(0, index - needed) : index]
            assert len(row) == needed
            assert all(good(outcome.status) == good(seen[index].status) for outcome in row)


@given(st.lists(OUTCOMES, min_size=1, max_size=30), PACES)
def test_enough_answers_in_a_row_always_turn_it(outcomes: list[Outcome], pace: Pace) -> None:
    """Whatever was before; and a good status is that of the last good answer."""
    state = State()
    for now, outcome in enumerate(outcomes):
        state = after(state, outcome, now, 0, pace)
    for now in range(5):
        state = after(state, Outcome.failed("away"), now, 0, pace)
    assert state.status is Status.FAIL
    for now in range(5):
        state = after(state, Outcome.warned("odd"), now, 0, pace)
    assert state.status is Status.WARN


@given(PACES, st.integers(-10, 200), st.booleans(), st.integers(0, 6))
def test_nobody_starts_a_run_beside_another_or_too_many(pace: Pace, age: int, running: bool, stuck: int) -> None:
    """And nobody is given what is older than it may be."""
    state = after(State(), Outcome.passed(), 1_000, 0, pace)
    wish = want(state, pace, 1_000 + age, running=running, stuck=stuck)
    if wish in (Want.RUN, Want.REFRESH):
        assert not running
        assert stuck < pace.max_stuck
    if wish in (Want.KNOWN, Want.REFRESH):
        assert 0 <= age < pace.ttl + pace.stale
    if wish is Want.JOIN:
        assert running


SECRETS = st.text(string.ascii_letters + string.digits + "!#$%&*+-./:;=?@^_~<>{}[] é", min_size=6, max_size=40).filter(
    lambda text: text.strip() == text and len(set(text)) > 3 and "***" not in text
)
NOISE = st.text(st.sampled_from("ab 01.:/@'\"=?&"), max_size=40)


@given(SECRETS, NOISE, NOISE)
def test_a_secret_that_is_known_is_never_shown(secret: str, before: str, behind: str) -> None:
    """Wherever it stands, plain or as URLs quote it."""
    scrub = Scrubber([secret])
    for form in (secret, quote(secret, safe="")):
        # A separator, as what is around it could else make another secret of it.
        assert form not in scrub(f"{before} {form} {behind}")


@given(st.text(string.ascii_letters + string.digits + "!$%&*+-.;=^_~@:/#?", min_size=6, max_size=30))
def test_a_password_of_a_url_is_never_shown(password: str) -> None:
    """Though nobody has named it, and however oddly it is written."""
    shown = Scrubber()(f"cannot reach postgresql://app:{password}@database.internal:5432/orders: refused")
    assert shown == "cannot reach postgresql://***@database.internal:5432/orders: refused"


@given(st.text(max_size=3_000))
def test_any_text_can_be_shown(text: str) -> None:
    """On one line, bounded; what was hidden stays hidden."""
    scrub = Scrubber(["a secret"])
    shown = scrub(text)
    assert len(shown) <= LONGEST
    assert "\n" not in shown
