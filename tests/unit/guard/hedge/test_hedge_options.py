"""What a hedge may be asked for, and what it says to the rest."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard.hedge import Quantile

OPTIONS = {"after": 0.1, "idempotent": True}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"idempotent": None},
            "idempotent must be True, or a function of the call's arguments that says whether the call may be made "
            "twice, got None; nothing else is hedged: a second copy may happen, too",
        ),
        (
            {"idempotent": False},
            "idempotent must be True, or a function of the call's arguments that says whether the call may be made "
            "twice, got False; nothing else is hedged: a second copy may happen, too",
        ),
        (
            {"after": 0},
            "after must be above 0 to 3600 s, or a Quantile such as Quantile(0.95), got 0; "
            "when a call that has not answered gets another copy",
        ),
        ({"max_copies": 1}, "max_copies must be 2 to 10, got 1; copies of a call altogether, the first included"),
        (
            {"budget": 0},
            "budget must be a share of the calls above 0 to 1, a RetryBudget, or None for no bound, got 0; "
            "copies for each call, at most",
        ),
        (
            {"good": 1},
            "good must be a function of a result, or None, got 1; "
            "which results are answers; the others are failures of their copy",
        ),
        ({"max_threads": 1}, "max_threads must be 2 to 10000, got 1; plain calls that may run in threads at once"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    """With the value, the range and the way out."""
    with pytest.raises(sw.ConfigError) as caught:
        sw.Hedge(**{**OPTIONS, **options})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quantile(95), "share must be 0.5 to 0.999, got 95; the 95th percentile is 0.95"),
        (lambda: Quantile(0.9, min_samples=9), "min_samples must be a whole number, 10 to 1000000 calls, got 9"),
        (lambda: Quantile(0.9, window=0.5), "window must be 1 s to a day, got 0.5"),
    ],
)
def test_bad_quantiles_are_refused(make: Any, message: str) -> None:
    """With the value and the range."""
    with pytest.raises(sw.ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_generators_are_refused_when_they_are_decorated() -> None:
    """Sync and async; the way out is named."""

    def items() -> Iterator[int]:
        yield 1

    async def items_async() -> AsyncIterator[int]:
        yield 1

    hedge = sw.Hedge(0.1, idempotent=True)
    for fn in (items, items_async):
        for guard in (hedge, sw.Pipeline(sw.Timeout(1), hedge)):
            with pytest.raises(sw.ConfigError) as caught:
                guard(fn)
            assert str(caught.value) == (
                f"a Hedge makes calls that have one answer, got the generator function {fn!r}: its caller has seen "
                "items of one copy; hedge what it calls for each item"
            )


def test_a_generator_that_meets_a_hedge_after_a_reload_is_refused_before_it_runs() -> None:
    """Its policies were others when it was decorated."""
    pipeline = sw.Pipeline.from_dict({"policies": [{"type": "timeout", "seconds": 1}]})

    @pipeline
    def items() -> Iterator[int]:
        yield 1

    assert list(items()) == [1]
    pipeline.reload({"policies": [{"type": "hedge", "after": 0.1, "idempotent": True, "name": "reads"}]})
    with pytest.raises(sw.ConfigError) as caught:
        list(items())
    assert str(caught.value) == "reads: a generator cannot be hedged, as its caller has seen items of one copy"


def test_configuration_names_it_and_reload_follows() -> None:
    """What was spent of the budget goes on unless the budget itself changes."""
    policy = {"type": "hedge", "after": {"kind": "quantile", "share": 0.99}, "idempotent": True, "budget": 0.02}
    pipeline = sw.Pipeline.from_dict({"policies": [policy]})
    hedge = pipeline["hedge"]
    budget = hedge._budget
    assert (hedge.after, budget.stats().settings) == (None, "ratio 0.02, 0 per second, in windows of 10 s")
    assert pipeline.reload({"policies": [{**policy, "after": 0.5}]}) == ("Hedge 'hedge' follows",)
    assert (hedge.after, hedge._budget is budget) == (0.5, True)
    assert pipeline.reload({"policies": [{**policy, "after": 0.5, "budget": 0.5}]}) == ("Hedge 'hedge' follows",)
    assert hedge._budget is not budget
    assert pipeline.reload({"policies": [{**policy, "max_threads": 8}]}) == ("Hedge 'hedge' is replaced",)


def test_it_says_what_it_is_and_pickles_without_what_it_learnt() -> None:
    """The copy is another hedge with the same options; a clock that is moved by hand stays here."""
    hedge = sw.Hedge(0.25, idempotent=True, name="reads")
    assert repr(hedge) == "<Hedge 'reads': after 0.25 s, 0 hedged>"
    assert (
        repr(sw.Hedge(Quantile(0.95), idempotent=True)) == "<Hedge 'hedge': after what it has yet to learn, 0 hedged>"
    )
    copy = pickle.loads(pickle.dumps(hedge))
    assert (copy.after, copy.name, copy._options) == (0.25, "reads", hedge._options)
    with pytest.raises(TypeError, match=r"^Hedge 'hedge' cannot be pickled with ManualClock"):
        pickle.dumps(sw.Hedge(0.25, idempotent=True, clock=ManualClock()))
