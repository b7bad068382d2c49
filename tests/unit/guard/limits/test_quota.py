"""Limits as people write them."""

import re

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.limits import Quota, Rate

HELP = "write for example '100/second', '100/second burst 20', '5 per 10 minutes', several separated by ';'"


@pytest.mark.parametrize(
    ("text", "amount", "per", "burst"),
    [
        ("100/second", 100, 1, 100),
        ("100/second burst 20", 100, 1, 20),
        ("100 / second", 100, 1, 100),
        ("100 per second", 100, 1, 100),
        ("  5 per 10 minutes ", 5, 600, 5),
        ("1,000/hour", 1000, 3600, 1000),
        ("1_000/hour burst 2,000", 1000, 3600, 2000),
        ("0.5/s", 0.5, 1, 1),
        (".5/s", 0.5, 1, 1),
        ("3/1.5s", 3, 1.5, 3),
        ("7 PER Day BURST 2", 7, 86_400, 2),
    ],
)
def test_a_rate_is_read(text, amount, per, burst):
    """Amount, period and burst in the forms people write; without burst it is one period's worth, at least 1."""
    assert Quota.parse(text).rates == (Rate(amount, per, burst),)


@pytest.mark.parametrize(
    ("units", "per"),
    [
        ("ms millisecond milliseconds", 0.001),
        ("s sec secs second seconds", 1),
        ("m min mins minute minutes", 60),
        ("h hr hrs hour hours", 3600),
        ("d day days", 86_400),
    ],
)
def test_every_unit_is_known_by_its_names(units, per):
    """Short and long names, singular and plural, in any case."""
    for unit in units.split():
        assert Quota.parse(f"5/{unit}").rates == (Rate(5, per, 5),)
        assert Quota.parse(f"5 per 2 {unit.upper()}").rates == (Rate(5, 2 * per, 5),)


def test_several_rates_are_separated_by_semicolons():
    """Empty parts are left out."""
    assert Quota.parse("100/second burst 20; 1000/hour;").rates == (Rate(100, 1, 20), Rate(1000, 3600, 1000))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"a quota needs at least one rate, got ''; {HELP}"),
        (" ; ", f"a quota needs at least one rate, got ' ; '; {HELP}"),
        (None, f"a quota is text, got None; {HELP}"),
        (100, f"a quota is text, got 100; {HELP}"),
        ("100", f"'100' is not a rate; {HELP}"),
        ("/second", f"'/second' is not a rate; {HELP}"),
        ("-5/second", f"'-5/second' is not a rate; {HELP}"),
        ("five/second", f"'five/second' is not a rate; {HELP}"),
        ("5/fortnight", f"'5/fortnight' is not a rate; {HELP}"),
        ("5/ss", f"'5/ss' is not a rate; {HELP}"),
        ("5/mss", f"'5/mss' is not a rate; {HELP}"),
        ("5/second, 6/minute", f"'5/second, 6/minute' is not a rate; {HELP}"),
        ("5/second burst", f"'5/second burst' is not a rate; {HELP}"),
        ("5/second burst ,", f"'5/second burst ,' is not a rate; {HELP}"),
        ("5/second burst 2.5", f"'5/second burst 2.5' is not a rate; {HELP}"),
        ("5/second burst -1", f"'5/second burst -1' is not a rate; {HELP}"),
        ("1e3/second", f"'1e3/second' is not a rate; {HELP}"),
        ("5/second; nonsense", f"'nonsense' is not a rate; {HELP}"),
        ("0/second", "rate must be above 0 and finite, got 0.0; to refuse everything open a breaker by hand"),
        (
            "9" * 400 + "/second",
            "rate must be above 0 and finite, got inf; to refuse everything open a breaker by hand",
        ),
        ("5/second burst 0", "burst must be 1 to 1152921504606846975, got 0"),
        ("5 per 0 seconds", "per must be 1 ns to 2.8823e+08 s, got 0.0"),
        ("5 per 4000 days", "per must be 1 ns to 2.8823e+08 s, got 345600000.0"),
        (
            "5/0.000001 ms",
            "a rate must be between one call in nine years and 1000000000 calls a second, got 5.0 per 1e-09; "
            "use larger units of cost",
        ),
    ],
)
def test_what_is_no_quota_is_an_error_that_shows_the_part(text, message):
    """Each bad form says which part, and how to write it."""
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(message)}$"):
        Quota.parse(text)


def test_one_rate_is_a_token_bucket():
    """The limiter of a single rate, with the options of a token bucket."""
    clock = ManualClock()
    limit = Quota.parse("100/second burst 20").limiter(name="api", clock=clock, shadow=True)
    assert type(limit) is sw.TokenBucket
    assert (limit.name, limit.limit, limit.clock, limit.shadow) == ("api", 20, clock, True)
    assert limit.stats().settings == "100 per second, at most 20"


def test_several_rates_are_all_of_them_slowest_first():
    """Each rate is a bucket of its own; all must admit."""
    limit = Quota.parse("100/second burst 2; 3/minute").limiter(name="api", clock=ManualClock())
    assert [one.name for one in limit.limits] == ["api/3 per 60 s", "api/100 per 1 s"]
    assert [limit.try_acquire() for _ in range(3)] == [True, True, False]
    limit.limits[0].clock.advance(1)
    assert [limit.try_acquire() for _ in range(3)] == [True, False, False]


def test_a_quota_reads_back_what_it_prints():
    """Str of a quota is a quota."""
    quota = Quota.parse("100/second burst 20; 5 per 10 minutes")
    assert str(quota) == "100/1s burst 20; 5/600s burst 5"
    assert Quota.parse(str(quota)) == quota
