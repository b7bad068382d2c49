"""The last good result, for the time when the call fails."""

from __future__ import annotations

from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock


class Service:
    """Answers until it is down."""

    def __init__(self) -> None:
        self.down = False
        self.calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What it was asked, and how often."""
        if self.down:
            raise ConnectionError("down")
        self.calls += 1
        return (args, kwargs, self.calls)


def test_the_last_good_result_for_the_same_arguments_is_answered() -> None:
    """By positional and keyword arguments; others have nothing to fall back to."""
    service = Service()
    get = sw.Fallback.stale(ttl=60)(service)
    first, second = get(1), get(1, b=2)
    service.down = True
    assert get(1) == first
    assert get(1, b=2) == second
    with pytest.raises(ConnectionError):
        get(2)


def test_each_function_has_its_own_results() -> None:
    """One fallback behind two functions does not mix them."""
    fallback = sw.Fallback.stale(ttl=60)
    a, b = Service(), Service()
    get_a, get_b = fallback(a), fallback(b)
    get_a(1)
    a.down = b.down = True
    assert get_a(1) == ((1,), {}, 1)
    with pytest.raises(ConnectionError):
        get_b(1)


def test_a_result_older_than_ttl_is_not_answered() -> None:
    """At exactly ttl it still is; the age is told."""
    clock = ManualClock()
    service = Service()
    fallback = sw.Fallback.stale(ttl=60, clock=clock)
    get = fallback(service)
    get()
    service.down = True
    clock.advance(60)
    assert get() == ((), {}, 1)
    assert sw.fallback_used().age == 60.0  # type: ignore[union-attr]
    clock.advance(1e-9)
    with pytest.raises(ConnectionError):
        get()
    assert fallback.stats().remembered == 0


def test_at_most_max_entries_are_kept_and_the_least_recently_used_goes() -> None:
    """Also being answered counts as use."""
    service = Service()
    fallback = sw.Fallback.stale(ttl=60, max_entries=2)
    get = fallback(service)
    get(1)
    get(2)
    service.down = True
    get(1)
    service.down = False
    get(3)
    assert fallback.stats().remembered == 2
    service.down = True
    assert get(1)
    assert get(3)
    with pytest.raises(ConnectionError):
        get(2)


def test_key_tells_results_apart() -> None:
    """What key answers is all that counts."""
    service = Service()
    get = sw.Fallback.stale(ttl=60, key=lambda user, **_: user)(service)
    get("ada", request_id=1)
    service.down = True
    assert get("ada", request_id=2) == (("ada",), {"request_id": 1}, 1)


def test_arguments_that_cannot_be_a_key_are_not_remembered() -> None:
    """The call is good all the same; it is counted as unkeyed."""
    service = Service()
    fallback = sw.Fallback.stale(ttl=60)
    get = fallback(service)
    assert get([1]) == (([1],), {}, 1)
    assert fallback.stats().unkeyed == 1
    service.down = True
    with pytest.raises(ConnectionError):
        get([1])


async def test_awaited_results_are_remembered_and_a_default_can_follow() -> None:
    """In a chain: the last good result, else a value."""
    down = False
    fallback = sw.Fallback(sw.Fallback.stale(ttl=60), "unknown")

    @fallback
    async def get(user: int) -> str:
        if down:
            raise ConnectionError
        return f"user {user}"

    assert await get(1) == "user 1"
    down = True
    assert await get(1) == "user 1"
    assert await get(2) == "unknown"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ttl": 0}, "ttl must be above 0 to 31536000 s, got 0; age beyond which a result is of no use"),
        (
            {"ttl": 1, "max_entries": 0},
            "max_entries must be 1 to 10000000, got 0; results kept; the least recently used goes",
        ),
        ({"ttl": 1, "key": 5}, "key must be a function of the call's arguments, got 5"),
    ],
)
def test_bad_options_are_explained(options: dict[str, Any], message: str) -> None:
    """The value, the range and the way out."""
    with pytest.raises(sw.ConfigError) as caught:
        sw.Fallback.stale(**options)
    assert str(caught.value) == message
