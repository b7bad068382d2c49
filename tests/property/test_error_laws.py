"""Laws of errors and options: the most specific rule wins, what travels arrives, fingerprints ignore numbers."""

from __future__ import annotations

import math
import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import Classifier, ConfigError, Kind, RateLimited, retry_after_of
from seawall.errors._fingerprint import normalised
from seawall.patterns import Options, option

KINDS = st.sampled_from(list(Kind))


@given(depth=st.integers(1, 8), data=st.data())
def test_the_nearest_registered_class_wins(depth: int, data: st.DataObject) -> None:
    """For any line of classes and any order of registrations: the nearest base, and of it the latest rule."""
    line: list[type[Exception]] = [Exception]
    for number in range(depth):
        line.append(type(f"E{number}", (line[-1],), {}))
    rules = data.draw(st.lists(st.tuples(st.integers(0, depth), KINDS), max_size=12))
    classifier = Classifier()
    for place, kind in rules:
        classifier.register(line[place], kind)
    raised = data.draw(st.integers(0, depth))
    expected = Kind.unknown
    for place in range(raised, -1, -1):
        mine = [kind for where, kind in rules if where == place]
        if mine:
            expected = mine[-1]
            break
    assert classifier.classify(line[raised]("x")).kind is expected


KEYS = st.recursive(
    st.none() | st.integers() | st.text() | st.binary(), lambda inner: st.tuples(inner, inner), max_leaves=4
)


@given(
    message=st.text(),
    retry_after=st.none() | st.floats(0, 1e6),
    key=KEYS,
    policy=st.none() | st.text(),
    chain=st.lists(st.sampled_from([ValueError, KeyError, RateLimited, TimeoutError]), max_size=5),
)
def test_refusals_arrive_as_they_were_sent(
    message: str, retry_after: float | None, key: Any, policy: str | None, chain: list[type[Exception]]
) -> None:
    """Every field and every link."""
    error = RateLimited(message, retry_after=retry_after, key=key, policy=policy)
    last: BaseException = error
    for number, kind in enumerate(chain):
        last.__cause__ = kind(str(number))
        last = last.__cause__
    there = pickle.loads(pickle.dumps(error))
    assert (there.args, there.__dict__) == (error.args, error.__dict__)
    here: BaseException | None = error
    while here is not None:
        assert (type(there), there.args) == (type(here), here.args)
        here, there = here.__cause__, there.__cause__
    assert there is None


@given(wait=st.floats(allow_nan=True, allow_infinity=True) | st.integers(), most=st.floats(0, 1e6))
def test_a_wait_is_always_usable(wait: float, most: float) -> None:
    """Whatever an error says: None, or a number from 0 to the longest."""
    found = retry_after_of(RateLimited("x", retry_after=wait), most=most)
    assert found is None or 0 <= found <= most
    assert (found is None) == (isinstance(wait, float) and math.isnan(wait))


@given(first=st.integers(0, 10**12), second=st.integers(0, 10**12), words=st.text(alphabet="ghijk ", max_size=20))
def test_numbers_make_no_difference(first: int, second: int, words: str) -> None:
    """Two messages that differ in a number only are the same."""
    assert normalised(f"{words} {first} done") == normalised(f"{words} {second} done")


class Ranged(Options):
    """One number with a range."""

    seconds: float = option(default=1.0, unit="s", least=0.5, most=2.0)
    count: int = option(default=1, least=-3, most=3)


@given(seconds=st.floats() | st.integers(), count=st.integers() | st.floats() | st.booleans())
def test_options_hold_what_is_in_range_and_nothing_else(seconds: float, count: Any) -> None:
    """An object exists exactly when all its values are allowed, and then has them."""
    allowed = 0.5 <= seconds <= 2.0 and type(count) is int and -3 <= count <= 3
    try:
        made = Ranged(seconds=seconds, count=count)
    except ConfigError:
        assert not allowed
    else:
        assert allowed
        assert (made.seconds, made.count) == (seconds, count)
        assert Ranged.from_dict(made.as_dict()) == made == made.replace()
