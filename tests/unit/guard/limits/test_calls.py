"""A limit as a decorator and as a context manager."""

import asyncio
import inspect
import re

import pytest

import seawall as sw
from seawall.clock import ManualClock


def limit(**options):
    """Ten a second, one at once, on a clock that jumps."""
    clock = ManualClock(autojump=True)
    return sw.TokenBucket(10, burst=1, clock=clock, **options), clock


def test_a_function_waits_before_each_call():
    """Arguments, result and exceptions pass through; each call takes a place."""
    guard, clock = limit()

    @guard
    def call(a, *, b):
        if b is None:
            raise KeyError(a)
        return a, b

    assert call(1, b=2) == (1, 2)
    with pytest.raises(KeyError):
        call(3, b=None)
    assert call(4, b=5) == (4, 5)
    assert clock.time() == 0.2


async def test_a_coroutine_waits_before_each_call():
    """A decorated coroutine function is one still."""
    guard, clock = limit()

    @guard
    async def call(a):
        return a

    assert asyncio.iscoroutinefunction(call)
    assert [await call(1), await call(2)] == [1, 2]
    assert clock.time() == 0.1


def test_a_generator_waits_before_its_first_item():
    """Making a generator takes nothing; its first item takes one place, the others none."""
    guard, clock = limit()

    @guard
    def items(n):
        got = yield n
        yield got
        return "done"

    assert inspect.isgeneratorfunction(items)
    guard.acquire()
    made = items(1)
    assert clock.time() == 0.0
    assert next(made) == 1
    assert clock.time() == 0.1
    assert made.send("sent") == "sent"
    with pytest.raises(StopIteration, match=r"^done$"):
        next(made)
    assert clock.time() == 0.1


async def test_an_async_generator_waits_before_its_first_item():
    """One place for the whole stream."""
    guard, clock = limit()

    @guard
    async def items(n):
        for i in range(n):
            yield i

    assert inspect.isasyncgenfunction(items)
    guard.acquire()
    made = items(3)
    assert clock.time() == 0.0
    assert [item async for item in made] == [0, 1, 2]
    assert clock.time() == 0.1


async def test_what_is_sent_and_thrown_into_an_async_generator_reaches_it():
    """asend, athrow and the end of a decorated async generator are those of the function."""
    guard, _ = limit()
    heard = []

    @guard
    async def items():
        try:
            heard.append((yield "first"))
        except KeyError as error:
            heard.append(error)
            yield "caught"

    made = items()
    assert await anext(made) == "first"
    with pytest.raises(StopAsyncIteration):
        await made.asend("sent")
    assert heard == ["sent"]
    made = items()
    await anext(made)
    error = KeyError()
    assert await made.athrow(error) == "caught"
    assert heard == ["sent", error]
    with pytest.raises(StopAsyncIteration):
        await anext(made)


async def test_closing_an_async_generator_closes_the_function_at_once():
    """Aclose runs the finally of a decorated async generator before it returns."""
    guard, _ = limit()
    closed = []

    @guard
    async def items():
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    made = items()
    await anext(made)
    await made.aclose()
    assert closed == [True]


@pytest.mark.parametrize("kind", ["function", "coroutine", "generator", "async generator"])
def test_what_is_decorated_keeps_its_name_and_signature(kind):
    """Name, docstring, signature and the function itself can still be asked."""

    def function(a: int, *, b: str = "x") -> None:
        """Says what it does."""

    async def coroutine(a: int, *, b: str = "x") -> None:
        """Says what it does."""

    def generator(a: int, *, b: str = "x") -> None:
        """Says what it does."""
        yield a, b

    async def async_generator(a: int, *, b: str = "x") -> None:
        """Says what it does."""
        yield a, b

    original = locals()[kind.replace(" ", "_")]
    decorated = limit()[0](original)
    assert decorated.__name__ == original.__name__
    assert decorated.__doc__ == "Says what it does."
    assert inspect.signature(decorated) == inspect.signature(original)
    assert decorated.__wrapped__ is original


def test_a_method_can_be_decorated():
    """Self is passed as ever, and all objects share the limit."""
    guard, clock = limit()

    class Client:
        @guard
        def call(self):
            return self

    one, two = Client(), Client()
    assert one.call() is one
    assert two.call() is two
    assert clock.time() == 0.1


@pytest.mark.parametrize("value", [3, None, "call"])
def test_only_functions_can_be_decorated(value):
    """Anything that cannot be called is an error that shows it."""
    with pytest.raises(sw.ConfigError, match=f"^{re.escape(f'a policy decorates a function, got {value!r}')}$"):
        limit()[0](value)


def test_a_block_waits_its_turn():
    """With acquires one place, gives the limit, and lets exceptions through."""
    guard, clock = limit()
    with guard as entered:
        assert entered is guard
    with pytest.raises(KeyError), guard:
        raise KeyError
    assert clock.time() == 0.1


async def test_an_async_block_waits_its_turn():
    """Async with acquires one place, gives the limit, and lets exceptions through."""
    guard, clock = limit()
    async with guard as entered:
        assert entered is guard
    with pytest.raises(KeyError):
        async with guard:
            raise KeyError
    assert clock.time() == 0.1


def test_a_deadline_refuses_a_decorated_call_before_it_runs():
    """RateLimited is raised instead of calling the function when the wait would outlast the Deadline."""
    clock = ManualClock()
    guard = sw.TokenBucket(10, burst=1, clock=clock)
    called = []

    @guard
    def call():
        called.append(True)

    call()
    with sw.Deadline(0.05, clock=clock), pytest.raises(sw.RateLimited):
        call()
    assert called == [True]
