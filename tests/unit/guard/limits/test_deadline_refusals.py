"""Limits under a deadline: refused at once, and the error says that only the deadline was in the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import seawall as sw
from seawall.clock import ManualClock

CLOCK = ManualClock()


def bucket() -> sw.TokenBucket:
    """One call a second, and none left."""
    limit = sw.TokenBucket(1, burst=1, clock=CLOCK)
    limit.acquire()
    return limit


def keyed() -> Callable[..., None]:
    """The same for one key."""
    limit = sw.TokenBucket(1, burst=1, clock=CLOCK).keyed(8)
    limit.acquire("a")
    return lambda **options: limit.acquire("a", **options)


@pytest.mark.parametrize(
    "acquire", [bucket().acquire, keyed(), sw.AllOf(bucket(), bucket()).acquire], ids=["single", "keyed", "all_of"]
)
def test_only_the_deadline_is_blamed_where_only_it_was_in_the_way(acquire: Callable[..., None]) -> None:
    """With a shorter timeout of its own the call has itself to blame."""
    with sw.Deadline(0.5, clock=CLOCK):
        with pytest.raises(sw.RateLimited, match=r", the caller's deadline leaves 0.5 s$") as caught:
            acquire()
        assert caught.value.state == "deadline"
        with pytest.raises(sw.RateLimited) as caught:
            acquire(timeout=0.25)
        assert "deadline" not in str(caught.value)
        assert caught.value.state is None


async def test_a_task_is_told_the_same() -> None:
    """acquire_async and a decorated coroutine function alike."""
    limit = bucket()
    with sw.Deadline(0.5, clock=CLOCK), pytest.raises(sw.RateLimited, match=r"the caller's deadline leaves 0.5 s$"):
        await limit.acquire_async()
