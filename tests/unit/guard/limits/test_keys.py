"""Keys: what they may be, and that each has a limit of its own."""

import re

import numpy as np
import pytest
from tests.oracles.pairs import NAMES, pair

import seawall as sw
from seawall.clock import ManualClock

SINGLE_CALLS = ("try_acquire", "check", "peek", "acquire", "reserve")


def keyed(name="token_bucket", max_keys=1000):
    """Five a second, five at once, for each key."""
    both = pair(name)
    return both.limit.keyed(max_keys=max_keys), both.clock


@pytest.mark.parametrize("name", NAMES)
def test_each_key_has_a_limit_of_its_own(name):
    """Taking all of one key leaves the others untouched."""
    limit, _ = keyed(name)
    most = 1 if name == "leaky_bucket" else 5
    for key in ("a", "b", 1, b"a", ("a", 1)):
        assert sum(limit.try_acquire(key) for _ in range(9)) == most


def test_keys_of_different_kind_are_different_keys():
    """Text, bytes, numbers and tuples of them never share a limit, however alike they look."""
    limit, _ = keyed()
    keys = [
        "1",
        b"1",
        1,
        ("1",),
        (b"1",),
        (1,),
        ((1,),),
        (1, ()),
        (),
        "",
        b"",
        0,
        -1,
        2**63,
        -(2**63),
        2**64 + 1,
        -(2**64),
    ]
    for key in keys:
        assert limit.peek(key).remaining == 5
        assert limit.try_acquire(key, 5)
    assert not any(limit.try_acquire(key) for key in keys)


def test_equal_keys_are_one_key():
    """A key is its value, not its object; subclasses of str and int are that text and number."""

    class Text(str):
        __slots__ = ()

    class Number(int):
        pass

    limit, _ = keyed()
    for first, second in (
        ("user:42", "".join(["user:", "42"])),
        ("t", Text("t")),
        (7, Number(7)),
        (("a", 7), (Text("a"), Number(7))),
    ):
        limit.try_acquire(first, 5)
        assert not limit.try_acquire(second)


def test_a_decision_names_its_key():
    """check, peek and refusals carry the key they are about."""
    limit, _ = keyed()
    assert limit.check(("a", 1), 2) == (True, 5, 3, 0.0, 0.4, "token_bucket/keyed", ("a", 1))
    assert limit.peek("new").key == "new"
    limit.try_acquire("a", 5)
    with pytest.raises(sw.RateLimited, match=r"^token_bucket/keyed is at its limit for key 'a'; retry in 0\.2 s$") as e:
        limit.acquire("a", timeout=0)
    assert (e.value.key, e.value.policy, e.value.retry_after) == ("a", "token_bucket/keyed", 0.2)


@pytest.mark.parametrize("call", SINGLE_CALLS)
@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (1.0, 1.0),
        (None, None),
        (["a"], ["a"]),
        ({"a"}, {"a"}),
        (True, True),
        (bytearray(b"a"), bytearray(b"a")),
        (("a", 1.5), 1.5),
        (("a", ("b", None)), None),
        (("a", (False,)), False),
    ],
)
def test_a_key_of_another_type_is_an_error_that_shows_it(call, key, shown):
    """Every call refuses such a key in the same words, also inside a tuple, and takes nothing."""
    limit, _ = keyed()
    before = limit.stats()
    message = f"a key is a str, bytes, int or a tuple of these, got {shown!r}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        getattr(limit, call)(key)
    assert limit.stats() == before


async def test_an_async_wait_refuses_such_a_key_too():
    """acquire_async raises the same."""
    message = "a key is a str, bytes, int or a tuple of these, got [1]"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        await keyed()[0].acquire_async([1])


def test_text_that_is_no_unicode_is_an_error():
    """A lone surrogate has no bytes to hash."""
    with pytest.raises(UnicodeEncodeError):
        keyed()[0].try_acquire("\ud800")


def test_a_bottomless_tuple_is_an_error_not_a_crash():
    """Nesting deeper than the interpreter allows raises RecursionError."""
    key = ()
    for _ in range(100_000):
        key = (key,)
    with pytest.raises(RecursionError):
        keyed()[0].try_acquire(key)


def test_a_batch_decides_each_key_in_order():
    """try_acquire_many answers as single calls in that order would."""
    one, _ = keyed()
    many, _ = keyed()
    keys = [f"user:{i * 7 % 11}" for i in range(200)]
    costs = [1 + i % 3 for i in range(200)]
    expected = [one.try_acquire(key, cost) for key, cost in zip(keys, costs, strict=True)]
    answers = many.try_acquire_many(keys, costs)
    assert answers.dtype == np.bool_
    assert answers.tolist() == expected
    assert many.stats()[2:4] == one.stats()[2:4]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", ">i8", "uint8", "uint32", "uint64"])
def test_an_array_of_numbers_is_a_batch_of_int_keys(dtype):
    """Every integer array names the same keys as Python's ints do, also with gaps or of another byte order."""
    limit, _ = keyed()
    keys = np.repeat(np.arange(10), 8).astype(dtype)
    assert limit.try_acquire_many(keys).sum() == 50
    assert not any(limit.try_acquire(key) for key in range(10))
    assert not limit.try_acquire_many(keys[::2]).any()


def test_a_batch_may_be_empty_or_a_tuple():
    """No keys give no answers; any sequence will do."""
    limit, _ = keyed()
    assert limit.try_acquire_many([]).tolist() == []
    assert limit.try_acquire_many(np.array([], dtype=np.int64)).shape == (0,)
    assert limit.try_acquire_many(("a", 1, b"x"), np.array([5, 5, 6 - 1])).tolist() == [True] * 3


@pytest.mark.parametrize(
    ("keys", "costs", "error", "message"),
    [
        ("abc", None, TypeError, "keys must be a sequence or an array of keys, got str"),
        (b"abc", None, TypeError, "keys must be a sequence or an array of keys, got bytes"),
        (5, None, TypeError, "keys must be a sequence or an array of keys, got int"),
        (iter(["a"]), None, TypeError, "keys must be a sequence or an array of keys, got list_iterator"),
        (np.zeros((2, 2), int), None, ValueError, "keys must be one-dimensional, got shape (2, 2)"),
        (np.zeros(2), None, TypeError, "a key is a str, bytes, int or a tuple of these, got 0.0"),
        (np.zeros(2, bool), None, TypeError, "a key is a str, bytes, int or a tuple of these, got False"),
        (["a", None], None, TypeError, "a key is a str, bytes, int or a tuple of these, got None"),
        (["a", "b"], [1], ValueError, "costs must be as many as keys: got 1 for 2 keys"),
        (["a", "b"], [1, 0], ValueError, "cost must be 1 to 5, got 0"),
        (["a", "b"], [1, 1.0], TypeError, "cost must be a whole number, got 1.0"),
        (
            ["a", "b"],
            [1, 6],
            ValueError,
            "cost 6 can never be admitted: token_bucket/keyed holds at most 5; raise its limit or split the call",
        ),
    ],
)
def test_a_batch_of_no_meaning_takes_nothing(keys, costs, error, message):
    """Everything is checked before the first key is decided."""
    limit, _ = keyed()
    before = limit.stats()
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        limit.try_acquire_many(keys, costs)
    assert limit.stats() == before


@pytest.mark.parametrize("name", NAMES)
def test_when_every_place_is_live_a_new_key_is_refused_until_one_is_free(name):
    """A full table forgets nobody: the refusal says when a place is free, peek says the same, and then it passes."""
    both = pair(name, 7, limit=7)
    limit, clock = both.limit.keyed(max_keys=1), both.clock
    clock.advance(0.3)
    inside = [key for key in range(100) if limit.try_acquire(key)]
    outside = next(key for key in range(100) if key not in inside and not limit.peek(key))
    assert len(inside) == 16
    seen = limit.peek(outside)
    refused = limit.check(outside)
    assert refused == seen
    assert not refused.admitted
    start = clock.now_ns()
    wait = round(refused.retry_after * 1e9)
    clock.set_ns(start + wait - 1)
    assert not limit.try_acquire(outside)
    clock.set_ns(start + wait)
    assert limit.try_acquire(outside)
    stats = limit.stats()
    assert (stats.overflowed, stats.evicted) == (100 - 16 + 2, 1)


def test_a_peek_at_a_key_nobody_knows_makes_no_entry():
    """Looking takes no place of the table."""
    limit, _ = keyed(max_keys=1)
    for key in range(1000):
        assert limit.peek(key) == (True, 5, 5, 0.0, 0.0, "token_bucket/keyed", key)
    assert limit.stats().live == 0


def test_a_keyed_limit_is_not_the_single_one():
    """The limit a keyed one is made from goes on by itself."""
    clock = ManualClock()
    single = sw.TokenBucket(5, burst=5, clock=clock)
    by_key = single.keyed(10)
    by_key.try_acquire("a", 5)
    assert single.peek().remaining == 5
    assert (by_key.limit, by_key.name, by_key.clock) == (5, "token_bucket/keyed", clock)


def test_permits_by_key_are_given_back_to_their_key():
    """Both cancel and undo find the entry of their key."""
    limit, _ = keyed()
    permit, other = limit.reserve("a", 3), limit.reserve("b", 2)
    assert permit.cancel()
    assert other.undo()
    assert [limit.peek(key).remaining for key in "ab"] == [5, 5]
    assert limit.stats().admitted == 0
