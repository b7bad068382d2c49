"""What a breaker can be asked to do, and what it answers when asked the impossible."""

import math
from datetime import timedelta

import pytest

import seawall as sw
from seawall.errors import ConfigError
from seawall.guard.breaker import BreakerOptions, Calls, CircuitBreaker, Ramp, Seconds

RATIO = "must be above 0 to 1 or None, got {}; share of failures in the window that opens (reached, not exceeded)"
SLOW_RATIO = (
    "must be above 0 to 1 or None, got {}; "
    "share of slow calls that opens; failure_ratio, or 0.5, when slow_after is set"
)
MIN_CALLS = "must be 1 to 1000000, got {}; calls in the window before ratios decide"
OPEN_FOR = (
    "must be 0.001 to 86400 s, or a backoff such as Exponential(5, cap=300), got {}; "
    "how long to stay open: a time, or a backoff for a series"
)
LONGEST = "must be 0.001 to 86400 s, got {}; bound on open_for and on a callee's Retry-After"
PROBES = "must be 1 to 64, got {}; calls admitted half open, all of which must succeed"
LOST = "must be 0.001 to 86400 s, got {}; a probe unanswered for so long is lost, its place free"
JITTER = "must be 0 to 1, got {}; up to this share more, by chance, of open_for"
SLOW = "must be 1e-06 to 86400 s or None, got {}; a call that takes this long is slow"
IGNORE = "must be an exception type or a tuple of them, got {}; exceptions that say nothing about the callee"


class Backoff:
    """What a class looks like that somebody forgot to call."""

    def wait(self, attempt: int, previous: int, rng: object) -> int:
        """A second."""
        del attempt, previous, rng
        return 1_000_000_000


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("failure_ratio", 0, RATIO),
        ("failure_ratio", 1.01, RATIO),
        ("failure_ratio", True, RATIO),
        ("failure_ratio", "0.5", RATIO),
        ("failure_ratio", math.nan, RATIO),
        ("min_calls", 0, MIN_CALLS),
        ("min_calls", 2.0, MIN_CALLS.replace("be", "be a whole number,", 1)),
        ("min_calls", 1_000_001, MIN_CALLS),
        ("window", 100, "must be Calls(...) or Seconds(...), got {}; what ratios are counted over"),
        ("slow_after", 0, SLOW),
        ("slow_after", 86_401, SLOW),
        ("slow_ratio", 0, SLOW_RATIO),
        ("slow_ratio", 1.5, SLOW_RATIO),
        ("consecutive", 0, "must be 1 to 65535 or None, got {}; failures in a row that open"),
        ("consecutive", 65_536, "must be 1 to 65535 or None, got {}; failures in a row that open"),
        ("combine", "both", "must be one of 'any', 'all', got {}; how many of the conditions that are on must be met"),
        ("open_for", 0, OPEN_FOR),
        ("open_for", 86_401, OPEN_FOR),
        ("open_for", "30", OPEN_FOR),
        ("open_for", None, OPEN_FOR),
        ("open_for", True, OPEN_FOR),
        ("open_for", Backoff, OPEN_FOR),
        ("open_jitter", -0.1, JITTER),
        ("open_jitter", 1.1, JITTER),
        ("longest_open", 0, LONGEST),
        ("longest_open", math.inf, LONGEST),
        ("probes", 0, PROBES),
        ("probes", 65, PROBES),
        ("lost_after", 0, LOST),
        ("lost_after", timedelta(days=2), LOST),
        ("recovery", 10, "must be Ramp(...) or None, got {}; how traffic comes back after the probes"),
        (
            "failure_if",
            5,
            "must be a function or None, got {}; decides of a result or an exception whether it is a failure",
        ),
        ("ignore", 5, IGNORE),
        ("ignore", [ValueError], IGNORE),
        ("ignore", (ValueError, int), IGNORE),
        ("seed", 1.5, "must be a whole number or None, got {}; of the jitter, to be repeated in tests"),
    ],
)
def test_a_bad_option_is_an_error_that_names_it(name: str, value: object, says: str) -> None:
    """The message has the option, what it must be, the value, and what the option means."""
    with pytest.raises(ConfigError) as caught:
        CircuitBreaker(**{name: value})
    assert str(caught.value) == f"{name} {says.format(repr(value))}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_calls": 101}, "min_calls must be at most the window of 100 calls, got 101"),
        ({"slow_ratio": 0.5}, "slow_ratio=0.5 needs slow_after: how long is slow?"),
        (
            {"failure_ratio": None},
            "nothing would ever open it: give failure_ratio, slow_after or consecutive",
        ),
        ({"open_for": 7200}, "open_for must be at most longest_open of 3600 s, got 7200"),
        ({"clock": 5}, "clock must be a seawall Clock (SystemClock or ManualClock), got 5"),
        ({"shadow": 1}, "shadow must be True or False, got 1"),
        ({"enforce": 2}, "enforce must be a share from 0 to 1, got 2"),
        ({"on_conflict": "x"}, "on_conflict must be 'error', 'adopt' or 'replace', got 'x'"),
        ({"shared": 5}, "shared must be a Segment, its name or None, got 5"),
        ({"name": ""}, "name must be a str of 1 to 100 bytes, got ''"),
        ({"name": 5}, "name must be a str of 1 to 100 bytes, got 5"),
        (
            {"failure_rate": 0.5},
            "BreakerOptions has no option 'failure_rate'; did you mean 'failure_ratio'? there is: combine, "
            "consecutive, failure_if, failure_ratio, ignore, longest_open, lost_after, min_calls, open_for, "
            "open_jitter, probes, recovery, seed, slow_after, slow_ratio, window",
        ),
        (
            {"failure_ratio": 2, "probes": 0},
            f"2 options of BreakerOptions are wrong:\n- failure_ratio {RATIO.format(2)}\n- probes {PROBES.format(0)}",
        ),
    ],
)
def test_options_that_cannot_work_together_are_an_error_that_says_why(options: dict, message: str) -> None:
    """Contradictions, unknown names and several faults at once are told whole."""
    with pytest.raises(ConfigError) as caught:
        CircuitBreaker(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Calls(0), "Calls must be a whole number from 1 to 1024, got 0"),
        (lambda: Calls(1025), "Calls must be a whole number from 1 to 1024, got 1025"),
        (lambda: Calls(True), "Calls must be a whole number from 1 to 1024, got True"),
        (lambda: Calls(2.0), "Calls must be a whole number from 1 to 1024, got 2.0"),
        (lambda: Seconds(0.009), "Seconds must be 0.01 s to 86400 s, got 0.009"),
        (lambda: Seconds(86_401), "Seconds must be 0.01 s to 86400 s, got 86401"),
        (lambda: Seconds("60"), "Seconds must be seconds (a number) or a timedelta, got '60'"),
        (lambda: Ramp(0), "Ramp(over=) must be 0.001 s to 86400 s, got 0"),
        (lambda: Ramp(over="1"), "Ramp(over=) must be seconds (a number) or a timedelta, got '1'"),
        (lambda: Ramp(start=0), "Ramp(start=) must be a share from 0.001 to 1, got 0"),
        (lambda: Ramp(start=1.1), "Ramp(start=) must be a share from 0.001 to 1, got 1.1"),
        (lambda: Ramp(backoff=-0.1), "Ramp(backoff=) must be a share from 0 to 1, got -0.1"),
        (lambda: Ramp(backoff=True), "Ramp(backoff=) must be a share from 0 to 1, got True"),
    ],
)
def test_a_bad_window_or_ramp_is_an_error_of_its_own(make: object, message: str) -> None:
    """Calls, Seconds and Ramp refuse what they cannot be where they are written."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_the_ends_of_all_ranges_are_accepted() -> None:
    """What the messages call possible is possible."""
    CircuitBreaker(failure_ratio=1, min_calls=1, window=Calls(1), consecutive=65_535, probes=64)
    CircuitBreaker(window=Seconds(0.01), min_calls=1_000_000, slow_after=1e-6, slow_ratio=1, open_for=0.001)
    CircuitBreaker(open_for=86_400, longest_open=86_400, lost_after=0.001, open_jitter=1)
    CircuitBreaker(window=Calls(1024), recovery=Ramp(over=Calls(1024), start=1, backoff=0), min_calls=1024)
    CircuitBreaker(recovery=Ramp(over=0.001, start=0.001, backoff=1), window=Seconds(86_400))


def test_durations_are_seconds_or_timedeltas() -> None:
    """A timedelta means the same as its seconds, in every place a duration can be."""
    a = CircuitBreaker(
        window=Seconds(60), slow_after=1.5, open_for=30, longest_open=600, lost_after=5, recovery=Ramp(over=20)
    )
    b = CircuitBreaker(
        window=Seconds(timedelta(minutes=1)),
        slow_after=timedelta(seconds=1.5),
        open_for=timedelta(seconds=30),
        longest_open=timedelta(minutes=10),
        lost_after=timedelta(seconds=5),
        recovery=Ramp(over=timedelta(seconds=20)),
    )
    assert a._config() == b._config()


def test_the_defaults_are_those_of_the_table() -> None:
    """A breaker made without options has the documented ones, and the table has a row for each."""
    options = CircuitBreaker().options
    assert options == BreakerOptions()
    assert options.failure_ratio == 0.5
    assert options.window == Calls(100)
    assert options.recovery == Ramp(over=10.0, start=0.1, backoff=0.5)
    rows = BreakerOptions.table().splitlines()
    assert rows[0] == "| option | default | unit | range | meaning |"
    assert [row.split("`")[1] for row in rows[2:]] == list(options.as_dict())


def test_names_are_importable_from_the_top() -> None:
    """CircuitBreaker, Calls, Seconds and Ramp are names of seawall."""
    assert (sw.CircuitBreaker, sw.Calls, sw.Seconds, sw.Ramp) == (CircuitBreaker, Calls, Seconds, Ramp)


def test_a_breaker_is_made_once() -> None:
    """Calling __init__ again is an error and changes nothing; so is using a breaker that was never made."""
    breaker = CircuitBreaker("payments")
    with pytest.raises(TypeError, match=r"^CircuitBreaker.__init__ may be called once$"):
        breaker.__init__("orders")
    assert breaker.name == "payments"
    unmade = CircuitBreaker.__new__(CircuitBreaker)
    for use in (unmade.try_enter, lambda: unmade.state, lambda: unmade(len)("abc")):
        with pytest.raises(TypeError, match=r"^CircuitBreaker.__init__ was not called$"):
            use()
