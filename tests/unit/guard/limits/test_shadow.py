"""A limit in shadow decides and counts, but refuses nobody and makes nobody wait."""

import pytest
from tests.oracles.pairs import NAMES, pair


def trial(name):
    """A limit of two in shadow, one place taken too many already."""
    limit = pair(name, limit=2, shadow=True).limit
    for _ in range(3):
        assert limit.try_acquire()
    return limit


@pytest.mark.parametrize("name", NAMES)
def test_every_call_passes_and_is_counted_as_it_would_have_been(name):
    """try_acquire and check admit; statistics say what would have been refused."""
    limit = trial(name)
    would = 1 if name == "leaky_bucket" else 2
    assert limit.check().admitted
    assert limit.peek().admitted
    stats = limit.stats()
    assert (stats.admitted, stats.refused, stats.shadow) == (would, 4 - would, True)


@pytest.mark.parametrize("name", NAMES)
def test_nobody_waits_in_shadow(name):
    """Acquire returns at once on a clock that stands, whatever the timeout, and counts a refusal."""
    limit = trial(name)
    before = limit.stats().refused
    limit.acquire()
    limit.acquire(timeout=0)
    with limit:
        pass
    assert limit.stats().refused == before + 3
    assert limit.stats().waiting == 0


@pytest.mark.parametrize("name", NAMES)
async def test_no_task_waits_in_shadow(name):
    """acquire_async returns at once and counts a refusal."""
    limit = trial(name)
    before = limit.stats().refused
    await limit.acquire_async()
    assert limit.stats().refused == before + 1


@pytest.mark.parametrize("name", NAMES)
def test_a_place_reserved_in_shadow_is_due_now(name):
    """A reservation that would have to wait is due at once, and has nothing to give back."""
    limit = trial(name)
    permit = limit.reserve()
    assert permit.wait == 0.0
    assert permit.cancel() is False
    assert permit.undo() is False


@pytest.mark.parametrize("name", NAMES)
async def test_a_keyed_limit_in_shadow_refuses_no_key(name):
    """By key too everything passes at once, and refusals are only counted."""
    keyed = pair(name, limit=2, shadow=True).limit.keyed(max_keys=10)
    assert all(keyed.try_acquire("x") for _ in range(3))
    keyed.acquire("x")
    await keyed.acquire_async("x")
    assert keyed.reserve("x").wait == 0.0
    assert keyed.try_acquire_many(["x"] * 4).all()
    assert keyed.check("x").admitted
    would = 1 if name == "leaky_bucket" else 2
    stats = keyed.stats()
    assert (stats.admitted, stats.refused, stats.shadow) == (would, 11 - would, True)


def test_a_full_table_in_shadow_refuses_no_key():
    """A new key without room passes and is counted as overflowed."""
    keyed = pair("token_bucket", shadow=True).limit.keyed(max_keys=1)
    assert all(keyed.try_acquire(key) for key in range(100))
    keyed.acquire("one more")
    assert keyed.stats().overflowed >= 80


def test_shadow_stands_in_repr():
    """A limit that does not refuse says so."""
    assert repr(trial("token_bucket")).endswith(" shadow>")
