"""Calls that cost more than one."""

import re

import numpy as np
import pytest
from tests.oracles.pairs import NAMES, pair

import seawall as sw
from seawall.clock import ManualClock

CALLS = ("try_acquire", "check", "peek", "acquire", "reserve")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "leaky_bucket"])
def test_a_call_of_cost_n_takes_as_much_as_n_calls(name):
    """What is left is less by the cost."""
    limit = pair(name).limit
    assert limit.check(3).remaining == 2
    assert limit.check(3).admitted is False
    assert limit.check(2).remaining == 0


def test_in_a_leaky_bucket_a_cost_delays_those_behind():
    """A call of cost 3 at ten a second goes at once and the next 0.3 s later."""
    limit = sw.LeakyBucket(10, capacity=5, clock=ManualClock())
    assert limit.try_acquire(3)
    assert limit.check().retry_after == 0.3


@pytest.mark.parametrize("name", NAMES)
def test_a_cost_may_be_any_whole_number(name):
    """What has __index__ is a whole number; the full limit may be taken by one call."""
    limit = pair(name).limit
    assert limit.peek(np.int64(2)).admitted
    assert limit.try_acquire(np.uint8(5))
    assert not limit.try_acquire()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("cost", "error", "message"),
    [
        (0, ValueError, "cost must be 1 to 5, got 0"),
        (-1, ValueError, "cost must be 1 to 5, got -1"),
        (-(2**70), ValueError, f"cost must be 1 to 5, got {-(2**70)}"),
        (6, ValueError, "cost 6 can never be admitted: {name} holds at most 5; raise its limit or split the call"),
        (
            2**70,
            ValueError,
            f"cost {2**70} can never be admitted: {{name}} holds at most 5; raise its limit or split the call",
        ),
        (True, TypeError, "cost must be a whole number, got True"),
        (1.0, TypeError, "cost must be a whole number, got 1.0"),
        (float("nan"), TypeError, "cost must be a whole number, got nan"),
        ("1", TypeError, "cost must be a whole number, got '1'"),
        (None, TypeError, "cost must be a whole number, got None"),
    ],
)
def test_a_cost_that_can_never_pass_is_an_error(call, name, cost, error, message):
    """A cost of no meaning, or above all that can ever be admitted, raises instead of waiting for ever."""
    limit = pair(name).limit
    before = limit.stats()
    with pytest.raises(error, match=f"^{re.escape(message.format(name=name))}$"):
        getattr(limit, call)(cost)
    assert limit.stats() == before


async def test_an_async_wait_refuses_such_a_cost_too():
    """acquire_async raises for a cost that can never pass."""
    limit = sw.TokenBucket(5, clock=ManualClock())
    message = "cost 6 can never be admitted: token_bucket holds at most 5; raise its limit or split the call"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        await limit.acquire_async(6)
