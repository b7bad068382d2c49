"""What rules read, and what they refuse."""

from __future__ import annotations

import math

import pytest

from seawall.errors import ConfigError
from seawall.measure import Histogram
from seawall.observe import Distribution, Family, Recording, Sample, Selector, Snapshot
from seawall.observe.alerts import (
    Absent,
    BurnWindow,
    Increase,
    Matcher,
    Measure,
    Moment,
    Quantile,
    Rate,
    Ratio,
    Reading,
    Route,
    Rule,
    Silence,
    Unchanged,
    Value,
)  # fmt: skip
from seawall.observe.alerts._readout import read


def recording() -> Recording:
    """Two minutes, a snapshot each second: 10 requests by /a, of which one fails, and 20 by /b; then /c appears."""
    made = Recording()
    slow = Histogram()
    for at in range(121):
        slow.record(0.1)
        served = [Sample((("code", code), ("route", route)), float(at * n)) for code, route, n in
                  (("200", "/a", 9), ("500", "/a", 1), ("200", "/b", 20))]  # fmt: skip
        if at > 100:
            served.append(Sample((("code", "200"), ("route", "/c")), float(at - 100)))
        depth = (Sample((("queue", "x"),), 5.0), Sample((("queue", "y"),), float(at)))
        families = (
            Family("served", "counter", tuple(served)), Family("depth", "gauge", depth),
            Family("seconds", "histogram", (Sample((), Distribution.of(slow)),)),
        )  # fmt: skip
        made.append(Snapshot(float(at), families))
    return made


PAST = recording()
ERRORS = Selector("served", code="500")


def routes(a: float | None, b: float | None, c: float | None) -> dict[tuple[tuple[str, str], ...], float | None]:
    """Values by route."""
    return {(("route", route),): value for route, value in (("/a", a), ("/b", b), ("/c", c))}


@pytest.mark.parametrize(
    ("reading", "by", "expected"),
    [
        (Rate("served", over=60), (), {(): pytest.approx((30 * 60 + 20) / 60)}),
        (Rate("served", over=60), ("route",), routes(10, 20, pytest.approx(20 / 60))),
        (Increase("served", over=10), ("route",), routes(100, 200, 10)),
        (Increase("seconds", over=10), (), {(): 10}),
        (Ratio(ERRORS, "served", over=60), ("route",), routes(0.1, 0, 0)),
        (Ratio(ERRORS, Selector("served", route="/none"), over=60), (), {}),
        (Quantile("seconds", 0.99, over=60), (), {(): pytest.approx(0.1, rel=0.01)}),
        (Value("depth"), (), {(): 125}),
        (Value("depth", across="max"), ("queue",), {(("queue", "x"),): 5, (("queue", "y"),): 120}),
        (Value("nothing"), (), {}),
        (Absent("depth"), (), {(): 0}),
        (Absent(Selector("served", route="/d")), ("route",), {(): 1}),
        (Unchanged("depth"), ("queue",), {(("queue", "x"),): 120, (("queue", "y"),): 0}),
        (Unchanged("depth"), (), {(): 0}),
        (Measure(lambda moment: moment.window(10).rate("served")), (), {(): 31}),
        (Measure(lambda _: {(("b", "2"), ("a", "1")): 3.0}), (), {(("a", "1"), ("b", "2")): 3.0}),
    ],
)  # fmt: skip
def test_readings(reading, by, expected):
    """Each, with and without groups, over a recording that is known."""
    assert isinstance(reading, Reading)
    assert dict(reading.values(Moment(PAST, 120.0), by)) == expected


def test_a_moment_sees_nothing_later():
    """At half time it is as if the second half had not been recorded; windows are those of Recording.window."""
    moment = Moment(PAST, 60.0)
    assert moment.latest.at == 60
    assert Rate("served", over=30).values(moment, ("route",)) == {(("route", "/a"),): 10, (("route", "/b"),): 20}
    for seconds in (0.5, 1, 7.5, 60, 1e9):
        assert moment.window(seconds).snapshots == PAST.window(seconds, 60.0).snapshots
    assert Moment(Recording(), 0.0).window(5).snapshots == ()
    with pytest.raises(ConfigError, match=r"^a window must be longer than 0 s, got 0$"):
        moment.window(0)


def test_a_counter_that_began_anew():
    """Counts from 0, as in Window."""
    past = [Snapshot(float(at), (Family("n", "counter", (Sample((), v),)),)) for at, v in enumerate([100, 110, 3, 5])]
    assert Increase("n", over=60).values(Moment(past, 3.0), ()) == {(): 15}


def test_nan_is_no_data():
    """What is not a number holds for nothing."""
    rule = Rule("R", Measure(lambda _: math.nan), above=0)
    assert read([rule], Moment(PAST, 120.0), {})[rule.key].values == {(): None}


def test_too_many_groups():
    """Over `max_groups` those with alerts stay, then the first by name; how many were left out is told."""
    rule = Rule("R", Value("depth"), above=0, by="queue", max_groups=1)
    readout = read([rule], Moment(PAST, 120.0), {})[rule.key]
    assert (list(readout.values), readout.dropped) == ([(("queue", "x"),)], 1)
    again = read([rule], Moment(PAST, 120.0), {rule.key: {(("queue", "y"),)}})[rule.key]
    assert list(again.values) == [(("queue", "y"),)]


OK = {"reading": Value("depth"), "above": 5}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": ""}, "name must be a text of 1 to 200 printable characters, got ''"),
        ({"above": None}, "rule 'R' needs above= or below=, exactly one, got 0 of them"),
        ({"below": 1}, "rule 'R' needs above= or below=, exactly one, got 2 of them"),
        ({"above": "5"}, "above must be a number, got '5'"),
        ({"resolve": 6}, "resolve must be at most above=5, got 6; or leave it out"),
        ({"above": None, "below": 5, "resolve": 4}, "resolve must be at least below=5, got 4; or leave it out"),
        ({"for_": -1}, "for_ must be 0 s to 3.16224e+07 s, got -1"),
        ({"no_data": "maybe"}, "no_data must be one of 'ok', 'firing', 'keep', got 'maybe'"),
        ({"by": ("severity",)}, "'severity' is set by the rule itself; use name= and severity="),
        ({"by": ("a-b",)}, "by must be names of labels such as 'route', got 'a-b'"),
        ({"labels": {"n": 1}}, "labels must be a mapping of names such as 'team' to texts, got 'n': 1"),
        ({"reading": "depth"}, "reading must be a reading such as Rate('requests'), got 'depth'"),
        ({"max_groups": 0}, "max_groups must be a whole number from 1 to 100,000, got 0; 1,000 is usual"),
        ({"annotations": {"summary": "{x.y}"}},
         "a template may name plain fields only, such as {value}, got {x.y} in '{x.y}'"),
        ({"annotations": {"summary": "{"}},
         "a template must have names in braces, such as {value}, got '{': Single '{' encountered in format string"),
    ],
)  # fmt: skip
def test_bad_rules_are_refused(options, said):
    """The message names the option, the value and what would do."""
    with pytest.raises(ConfigError) as refused:
        Rule(**{"name": "R", **OK, **options})
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Quantile("seconds", 99), "q must be a share from 0 to 1, got 99; 0.99 is the 99th percentile"),
        (lambda: Value("depth", across="last"), "across must be one of 'sum', 'min', 'max', 'mean', got 'last'"),
        (lambda: Rate("n", over=0), "over must be 0.001 s to 3.16224e+07 s, got 0"),
        (lambda: Matcher("a", "=~", "("),
         'matcher a=~"(" is no regular expression: missing ), unterminated subpattern at position 0'),
        (lambda: Matcher.parse("severity"),
         "a matcher must be written like severity=\"page\" or route=~\"/a.*\", got 'severity'"),
        (lambda: Silence((Matcher("a", "=~", ".*"),), 0, 1, "ann", "x"),
         'a silence needs a matcher that does not match everything, such as alertname="Errors"'),
        (lambda: Silence((Matcher("a", "=", "1"),), 1, 1, "ann", "x"),
         "a silence must end after it begins, got 1 to 1"),
        (lambda: Route().resolved(),
         "the outermost route needs receivers: channels that get what no other route takes"),
        (lambda: Route("x", match="a=1").resolved(),
         "the outermost route must match everything: put match= on a route inside it"),
        (lambda: BurnWindow(1, 2, 3), "BurnWindow.__new__() missing 1 required positional argument: 'severity'"),
    ],
)  # fmt: skip
def test_other_bad_input_is_refused(make, said):
    """The same for readings, matchers, silences and routes."""
    with pytest.raises((ConfigError, TypeError)) as refused:
        make()
    assert str(refused.value) == said
