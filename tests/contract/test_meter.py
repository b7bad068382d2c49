"""What every engine's Meter keeps to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seawall.engines import Rule
from seawall.errors import ConfigError

LONG = 1_000_000.0
RULES = {
    "token_bucket": Rule.token_bucket(5, per=LONG, burst=5),
    "fixed_window": Rule.window("fixed_window", 5, window=LONG),
    "sliding_window": Rule.window("sliding_window", 5, window=LONG),
    "sliding_log": Rule.window("sliding_log", 5, window=LONG),
}


@pytest.mark.parametrize("kind", RULES)
def test_exactly_the_limit_is_admitted(meter, kind):
    """Each admission takes one; then the answer says when there is more."""
    readings = [meter.update("k", RULES[kind]) for _ in range(7)]
    assert [reading.admitted for reading in readings] == [True] * 5 + [False] * 2
    assert [reading.remaining for reading in readings] == [4, 3, 2, 1, 0, 0, 0]
    assert all(reading.limit == 5 and reading.wait == 0.0 for reading in readings)
    assert all(reading.retry_after == 0.0 for reading in readings[:5])
    assert all(0 < reading.retry_after <= 2 * LONG for reading in readings[5:])


def test_a_leaky_bucket_admits_one_at_a_time(meter):
    """And queues those who may wait, up to its capacity, evenly."""
    rule = Rule.leaky_bucket(1, per=1000, capacity=3)
    assert meter.update("k", rule).admitted
    assert not meter.update("k", rule).admitted
    patient = Rule.leaky_bucket(1, per=1000, capacity=3, max_wait_us=10_000_000_000)
    waits = [meter.update("k", patient) for _ in range(3)]
    assert [reading.admitted for reading in waits] == [True, True, False]
    assert 900 < waits[0].wait <= 1000
    assert 1900 < waits[1].wait <= 2000


@pytest.mark.parametrize("kind", RULES)
def test_a_cost_is_taken_whole_or_not_at_all(meter, kind):
    """A refused call takes nothing."""
    rule = RULES[kind]
    three = Rule(rule.kind, rule.amount, rule.period_us, rule.limit, cost=3)
    assert meter.update("k", three).remaining == 2
    assert not meter.update("k", three).admitted
    assert meter.update("k", rule).remaining == 1


@pytest.mark.parametrize("kind", RULES)
def test_looking_takes_nothing(meter, kind):
    """consume=False answers as a call would, without its effect."""
    assert meter.update("k", RULES[kind], consume=False).remaining == 5
    meter.update("k", RULES[kind])
    assert meter.update("k", RULES[kind], consume=False).remaining == 4
    assert meter.update("k", RULES[kind], consume=False).remaining == 4


def test_keys_are_apart_and_can_be_reset(meter):
    """What one key uses is not missing to another; reset forgets it."""
    rule = RULES["token_bucket"]
    assert meter.reset("a") is False
    for _ in range(5):
        meter.update("a", rule)
    assert meter.update("b", rule).remaining == 4
    assert not meter.update("a", rule)
    assert meter.reset("a") is True
    assert meter.update("a", rule).remaining == 4


def test_several_limits_admit_together_or_not_at_all(meter):
    """When one refuses, the others are not charged."""
    wide, narrow = RULES["token_bucket"], Rule.window("fixed_window", 1, window=LONG)
    both = meter.update_all(("user", narrow), ("all", wide))
    assert [(reading.admitted, reading.remaining) for reading in both] == [(True, 0), (True, 4)]
    both = meter.update_all(("user", narrow), ("all", wide))
    assert [(reading.admitted, reading.remaining) for reading in both] == [(False, 0), (True, 4)]
    assert meter.update_all(("user 2", narrow), ("all", wide))[1].remaining == 3


def test_what_is_taken_comes_back_with_time(meter, backend):
    """After retry_after the same call is admitted."""
    rule = Rule.token_bucket(1, per=backend.short, burst=1)
    assert meter.update("k", rule).admitted
    refused = meter.update("k", rule)
    if not refused.admitted:
        backend.pass_time(refused.retry_after)
        assert meter.update("k", rule).admitted


def test_changed_parameters_keep_what_was_used(meter):
    """A larger limit adds to what is left, a smaller one takes from it."""
    for _ in range(3):
        meter.update("k", Rule.token_bucket(5, per=LONG, burst=5))
    assert meter.update("k", Rule.token_bucket(8, per=LONG, burst=8)).remaining == 4
    assert not meter.update("k", Rule.token_bucket(4, per=2 * LONG, burst=4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.update("", RULES["token_bucket"]), "key must be 1 to 512 bytes in UTF-8, got 0"),
        (lambda m: m.update("k", 5), "rule must be a Rule, got 5"),
        (lambda m: m.update_all(), "rules must be 1 to 16, got 0"),
        (
            lambda m: m.update_all(("k", RULES["token_bucket"]), ("k", RULES["fixed_window"])),
            "the keys of one update must differ, got ['k', 'k']",
        ),
        (
            lambda m: m.update("k", Rule("bucket", 1, 1, 1)),
            "kind must be one of token_bucket, leaky_bucket, fixed_window, sliding_window, sliding_log, got 'bucket'",
        ),
        (
            lambda m: m.update("k", Rule.token_bucket(1, burst=2, cost=3)),
            "cost must be 1 to 2, the most this limit ever admits at once, got 3",
        ),
    ],
)
def test_what_can_never_work_is_told_before_anything_is_sent(meter, call, message):
    """The message names the argument, the value and the range."""
    with pytest.raises(ConfigError) as refused:
        call(meter)
    assert str(refused.value) == message


@pytest.mark.parametrize("kind", RULES)
def test_less_than_the_cost_is_granted_where_less_will_do(meter, kind):
    """As much as there is, at least what the caller is content with."""
    rule = RULES[kind]
    asked = [(3, 1), (3, 3), (3, 1), (3, 1)]
    readings = [meter.update("k", replace(rule, cost=cost, least=least)) for cost, least in asked]
    assert [reading.granted for reading in readings] == [3, 0, 2, 0]
    assert [reading.admitted for reading in readings] == [True, False, True, False]
    assert readings[0].at_us <= readings[1].at_us <= readings[2].at_us


@pytest.mark.parametrize("kind", RULES)
def test_what_a_grant_left_unused_can_be_given_back(meter, kind):
    """Before the next is decided, or alone; never more than was charged."""
    rule = RULES[kind]
    granted = meter.update("k", replace(rule, cost=4, least=1))
    back = {"returned": 3, "returned_at_us": granted.at_us}
    assert meter.update("k", replace(rule, cost=0, **back), consume=False).remaining == 4
    assert meter.update("k", rule, consume=False).remaining == 1
    assert meter.update("k", replace(rule, cost=5, least=1, **back)).granted == 4
    again = meter.update("k", replace(rule, cost=0, returned=9, returned_at_us=granted.at_us))
    # A log gives back what was taken at that very time, the others what was taken in that window.
    assert again.granted == 0
    assert again.remaining == 5 or (kind == "sliding_log" and again.remaining == 1)


def test_a_leaky_bucket_grants_no_batches(meter):
    """It gives one call at a time, and what waits behind is placed."""
    rule = Rule.leaky_bucket(1, capacity=5)
    for more in ({"cost": 3, "least": 1}, {"returned": 1, "returned_at_us": 1}):
        with pytest.raises(ConfigError) as refused:
            meter.update("k", replace(rule, **more))
        assert str(refused.value) == "least and returned are not for leaky_bucket, which gives one at a time"
