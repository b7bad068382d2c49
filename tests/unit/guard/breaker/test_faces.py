"""One breaker around functions, coroutines, methods and blocks."""

import asyncio
import inspect
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen, ConfigError
from seawall.guard.breaker import CircuitBreaker, Permit


def test_a_decorated_function_is_counted_and_refused(clock: ManualClock) -> None:
    """Failures open it, and while it is open the function is not called."""
    breaker, calls = breaker_at(clock), []

    @breaker
    def call(x: int, *, y: int = 0) -> int:
        """Calls."""
        calls.append(x)
        if x < 0:
            raise OSError("down")
        return x + y

    assert call(1, y=2) == 3
    assert (call.__name__, call.__doc__, call.policy) == ("call", "Calls.", breaker)
    assert str(inspect.signature(call)) == "(x: int, *, y: int = 0) -> int"
    for _ in range(2):
        with pytest.raises(OSError, match=r"^down$"):
            call(-1)
    with pytest.raises(CircuitOpen, match=r"^circuit breaker payments is open; retry in 2 s$"):
        call(1)
    assert calls == [1, -1, -1]
    assert call.stats() == breaker.stats()


async def test_a_decorated_coroutine_function_is_counted_when_it_ends(clock: ManualClock) -> None:
    """Creating the coroutine asks nothing; awaiting it does, and its failure counts when it comes."""
    breaker, gate = breaker_at(clock), asyncio.Event()

    @breaker
    async def call() -> None:
        await gate.wait()
        raise OSError("down")

    assert inspect.iscoroutinefunction(call) or asyncio.iscoroutinefunction(call)
    tasks = [asyncio.ensure_future(call()) for _ in range(2)]
    await asyncio.sleep(0)
    assert breaker.stats().failures == 0
    gate.set()
    assert [type(e) for e in await asyncio.gather(*tasks, return_exceptions=True)] == [OSError, OSError]
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen):
        await call()


def test_methods_share_the_breaker_of_their_class(clock: ManualClock) -> None:
    """Decorating a method counts for all its objects; static and class methods go above the breaker."""
    breaker = breaker_at(clock)

    class Client:
        @breaker
        def call(self) -> None:
            raise ConnectionError

        @staticmethod
        @breaker
        def there() -> int:
            return 1

        @classmethod
        @breaker
        def made(cls) -> type:
            return cls

    assert (Client.there(), Client.made()) == (1, Client)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            Client().call()
    with pytest.raises(CircuitOpen):
        Client().call()
    with pytest.raises(ConfigError, match=r"^put @staticmethod above the policy, not below it$"):
        breaker(staticmethod(len))


async def test_call_and_call_async_need_no_decorator(clock: ManualClock) -> None:
    """The same for a function at hand."""
    breaker = breaker_at(clock)

    async def there(x: int) -> int:
        return x

    assert breaker.call(max, 1, 2, key=abs) == 2
    assert await breaker.call_async(there, 5) == 5
    with pytest.raises(ConfigError, match=r"is a coroutine function: await call_async\(...\) instead$"):
        breaker.call(there, 5)
    fail(breaker, 2)
    with pytest.raises(CircuitOpen):
        breaker.call(max, 1, 2)
    with pytest.raises(CircuitOpen):
        await breaker.call_async(there, 5)


async def test_blocks_are_calls(clock: ManualClock) -> None:
    """`with` and `async with` admit, refuse, count a clean end as success and judge an exception."""
    breaker = breaker_at(clock)
    with breaker as permit:
        assert isinstance(permit, Permit)
    async with breaker:
        pass
    assert breaker.stats().successes == 2
    with pytest.raises(ValueError, match=r"^mine$"), breaker:
        raise ValueError("mine")
    with pytest.raises(OSError, match=r"^down$"):
        async with breaker:
            raise OSError("down")
    with pytest.raises(OSError, match=r"^down$"), breaker:
        raise OSError("down")
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen), breaker:
        raise AssertionError("must not be entered")
    with pytest.raises(CircuitOpen):
        async with breaker:
            raise AssertionError("must not be entered")


def test_a_block_may_answer_by_itself(clock: ManualClock) -> None:
    """What the permit was told inside counts, the clean end after it does not."""
    breaker = breaker_at(clock)
    with breaker as permit:
        permit.failure()
    assert (breaker.stats().failures, breaker.stats().successes) == (1, 0)


def test_nested_blocks_answer_their_own_permits(clock: ManualClock) -> None:
    """The same breaker inside itself, and another between: the inner block ends the inner call."""
    one, two = breaker_at(clock), CircuitBreaker("two", clock=clock, consecutive=1)
    with one as outer, two:
        with suppress(ConnectionError), one as inner:
            assert inner is not outer
            raise ConnectionError
        assert (one.stats().failures, one.stats().successes) == (1, 0)
    assert (one.stats().failures, one.stats().successes, two.stats().successes) == (1, 1, 1)


async def test_blocks_of_tasks_do_not_mix(clock: ManualClock) -> None:
    """Tasks that are inside at the same time answer each for itself, whoever leaves first."""
    breaker, gates = breaker_at(clock, consecutive=50), [asyncio.Event() for _ in range(4)]

    async def visit(number: int) -> None:
        with suppress(ConnectionError):
            async with breaker:
                await gates[number].wait()
                if number % 2:
                    raise ConnectionError

    with breaker:
        tasks = [asyncio.ensure_future(visit(number)) for number in range(4)]
        await asyncio.sleep(0)
        for number in (2, 0, 3, 1):
            gates[number].set()
            await tasks[number]
        assert (breaker.stats().successes, breaker.stats().failures) == (2, 2)
    assert breaker.stats().successes == 3


def test_a_block_left_in_another_context_is_an_error_that_says_what_to_do(clock: ManualClock) -> None:
    """Which call ends cannot be known there; the permit of enter() knows."""
    breaker = breaker_at(clock)
    there = Context()
    there.run(breaker.__enter__)
    with pytest.raises(RuntimeError) as caught:
        breaker.__exit__(None, None, None)
    assert str(caught.value) == (
        "circuit breaker 'payments' was entered in another context than it is left in (another task or thread); "
        "use `with breaker.enter():`, whose permit knows its call"
    )
    there.run(breaker.__exit__, None, None, None)
    assert breaker.stats().successes == 1


def test_one_breaker_guards_many_functions(clock: ManualClock) -> None:
    """Failures of one open it for the other."""
    breaker = breaker_at(clock)

    def down() -> None:
        raise ConnectionError

    guarded: list[Callable[[], object]] = [breaker(down), breaker(lambda: 1)]
    assert guarded[1]() == 1
    for _ in range(2):
        with pytest.raises(ConnectionError):
            guarded[0]()
    with pytest.raises(CircuitOpen):
        guarded[1]()


async def test_cancelling_a_task_is_nobodys_failure(clock: ManualClock) -> None:
    """A cancelled call is ignored, in a coroutine and in a block; a swallowed cancellation is what it returns."""
    breaker = breaker_at(clock, consecutive=1)

    @breaker
    async def forever() -> None:
        await asyncio.Event().wait()

    async def block() -> None:
        async with breaker:
            await asyncio.Event().wait()

    for work in (forever, block):
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (breaker.state, breaker.stats().ignored, breaker.stats().calls) == ("closed", 2, 0)


def test_a_refused_call_leaves_its_coroutine_unmade(clock: ManualClock) -> None:
    """While open, the coroutine function is not even called, so nothing is left unawaited."""
    breaker = opened(clock)

    async def never() -> None:
        raise AssertionError("must not be called")

    with pytest.raises(CircuitOpen):
        asyncio.run(breaker.call_async(never))
