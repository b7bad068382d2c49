"""Profiles as values: parts, shares, sums and differences."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from tests.unit.observe.profiler.made import COLD, HOT, MAIN, profile, stack

from seawall.errors import ConfigError
from seawall.observe.profiler import Function, Profile, Sampling, merge
from seawall.observe.profiler._profile import since
from seawall.observe.profiler._stack import OBJECTS, SPACE


def test_the_hot_function_is_on_top() -> None:
    """Ranked by what functions took themselves, or with what they called."""
    threads = profile().only(sort="thread", busy=True)
    assert threads.top(1) == [Function("Shop.price", "/srv/shop.py", 30, 1_500_000_000, 1_500_000_000)]
    assert threads.top(1, by="total")[0].function == "main"
    assert threads.top(5, "cpu")[1] == Function("main", "/srv/app.py", 8, 100_000_000, 1_500_000_000)


def test_shares_are_of_what_was_kept() -> None:
    """A function is found by the end of its name; waits can be left out first."""
    whole = profile()
    assert whole.share("price") == 1.5 / 6
    assert whole.only(sort="thread", busy=True).share("Shop.price") == 1.5 / 1.6
    assert whole.only(group="nobody").share("price") == 0.0


def test_busy_leaves_out_waits() -> None:
    """Threads that did nothing vanish, others keep the time in which they ran."""
    busy = profile().only(busy=True)
    assert busy.stacks == {
        stack(MAIN, HOT): (150, 1_500_000_000, 1_400_000_000, 0),
        stack(MAIN): (50, 100_000_000, 100_000_000, 0),
    }


def test_recursion_counts_once() -> None:
    """A function that is in a stack twice took its time once."""
    twice = replace(profile(), stacks={stack(HOT, MAIN, HOT): (1, 10, 10, 0)})
    assert twice.top(5, by="total")[0] == Function("Shop.price", "/srv/shop.py", 30, 10, 10)


def test_a_sum_counts_what_both_counted() -> None:
    """Merging is adding: numbers, seconds, and how it came about."""
    whole = profile() + replace(profile(1.0), began=1_600_000_000.0)
    assert whole.stacks[stack(MAIN, HOT)] == (300, 3_000_000_000, 2_800_000_000, 0)
    assert (whole.seconds, whole.began) == (3.0, 1_600_000_000.0)
    assert whole.sampling == Sampling(rate=100, samples=400, seconds=3.0, spent=0.02)
    assert merge([profile()]) == profile()


def test_only_profiles_of_the_same_kinds_are_merged() -> None:
    """Seconds and bytes cannot be added."""
    with pytest.raises(ConfigError) as caught:
        merge([profile(), Profile((OBJECTS, SPACE), {})])
    assert str(caught.value) == (
        "profiles that are merged must count the same kinds, got "
        "['objects', 'space'] and ['samples', 'wall', 'cpu', 'waiting']"
    )
    with pytest.raises(ConfigError, match=r"^profiles must be at least one Profile, got none$"):
        merge([])


def test_what_came_after_a_look_is_told_by_itself() -> None:
    """Of a running profile, an earlier look is taken off, and what did not change is gone."""
    before = profile()
    after = replace(before + profile(), seconds=4.0)
    later = replace(after, stacks={**before.stacks, stack(HOT): (1, 5, 5, 0)})
    assert since(later, before).stacks == {stack(HOT): (1, 5, 5, 0)}
    assert since(after, before).seconds == 2.0


def test_a_difference_is_by_the_second() -> None:
    """The same load for twice as long is no change; what took more of each second is."""
    short, long = profile(2.0), replace(profile() + profile(), seconds=4.0)
    assert long.diff(short).changes() == []
    slower = replace(short, stacks={**short.stacks, stack(MAIN, HOT): (250, 2_500_000_000, 0, 0)})
    (change,) = slower.diff(short).changes()
    assert (change.function, change.before, change.after) == ("Shop.price", 0.75e9, 1.25e9)
    assert change.change == 0.5e9


def test_a_difference_as_text_has_both_numbers() -> None:
    """Both columns are for the time that the later one took."""
    short, long = profile(1.0), replace(profile(), seconds=2.0)
    assert long.diff(short).to_collapsed("cpu") == (
        "MainThread;main (app.py:10) 200000000 100000000\n"
        "MainThread;main (app.py:10);Shop.price (shop.py:31) 2800000000 1400000000\n"
    )


def test_what_cannot_be_compared_is_refused() -> None:
    """Other kinds, or no time at all."""
    with pytest.raises(ConfigError) as caught:
        profile().diff(Profile((SPACE,), {}))
    assert str(caught.value) == (
        "profiles that are compared must count the same kinds, got ['space'] and ['samples', 'wall', 'cpu', 'waiting']"
    )
    with pytest.raises(ConfigError, match=r"^profiles that are compared must have taken some time, got 0 s and 2 s$"):
        profile().diff(profile(0.0))


def test_an_unknown_kind_is_told_the_known_ones() -> None:
    """The message lists what the profile has."""
    with pytest.raises(ConfigError) as caught:
        profile().total("gpu")
    assert str(caught.value) == "kind must be one of 'samples', 'wall', 'cpu', 'waiting', got 'gpu'"
    with pytest.raises(ConfigError, match=r"^by must be 'self' or 'total', got 'name'$"):
        profile().top(by="name")  # type: ignore[arg-type]


def test_profiles_pickle() -> None:
    """Worker processes can send theirs."""
    whole = profile()
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert repr(whole) == "<Profile of 2 s: 4 stacks; samples, wall, cpu, waiting>"
    assert COLD in next(s for s in whole.stacks if s.sort == "task").frames


def test_doubts_are_words() -> None:
    """What the profiler could not do as asked is said."""
    sampling = Sampling(rate=100, samples=40, seconds=2.0, spent=0.04, held_back=30, beyond=1_000, failed=2)
    assert sampling.doubts() == [
        "Sampled 20 times a second instead of 100: a look took 1000 µs and the budget was spent",
        "1,000 samples were of stacks for which there was no room; raise max_stacks",
        "2 looks failed; the log has the first",
    ]
    assert Sampling(rate=100, samples=190, seconds=2.0, spent=0.01, held_back=4).doubts() == []
