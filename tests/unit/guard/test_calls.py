"""A call on its way through policies: plain, awaited, generated, bound, cancelled, refused."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import pickle
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.unit.guard.witness import Refuses, Witness

import seawall as sw
from seawall.errors import ConfigError
from seawall.guard import Custom, Pipeline

pytestmark = pytest.mark.filterwarnings("error")


def add(a: int, b: int = 2, *rest: int, c: int = 0) -> int:
    """Adds."""
    return a + b + sum(rest) + c


async def add_later(a: int, b: int = 2) -> int:
    """Adds, after others have run."""
    await asyncio.sleep(0)
    return a + b


def test_a_guarded_function_takes_its_arguments_as_before() -> None:
    """Positional, keyword, variadic and default arguments reach the function."""
    guarded = Custom(Witness())(add)
    assert guarded(1) == 3
    assert guarded(1, 5, 6, c=7) == 19
    assert guarded(b=1, a=2) == 3
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'a'"):
        guarded()  # type: ignore[call-arg]


def test_a_guarded_function_looks_like_the_function() -> None:
    """Name, module, documentation and signature are the function's own."""
    guarded = Custom(Witness())(add)
    assert guarded.__name__ == "add"
    assert guarded.__doc__ == "Adds."
    assert guarded.__module__ == __name__
    assert guarded.__wrapped__ is add
    assert inspect.signature(guarded) == inspect.signature(add)


def test_asyncio_and_inspect_know_a_guarded_coroutine_function() -> None:
    """Frameworks that ask whether to await get the right answer."""
    guarded = Custom(Witness())(add_later)
    assert asyncio.iscoroutinefunction(guarded)
    assert not asyncio.iscoroutinefunction(Custom(Witness())(add))


class Service:
    """Methods are guarded like functions."""

    factor = 10

    @Pipeline(Custom(Witness()), Custom(Witness()))
    def multiply(self, n: int) -> int:
        """Multiply."""
        return self.factor * n

    @Pipeline(Custom(Witness()))
    async def multiply_later(self, n: int) -> int:
        """Multiply, later."""
        return self.factor * n

    @classmethod
    @Pipeline(Custom(Witness()))
    def make(cls, n: int) -> str:
        """Make."""
        return f"{cls.__name__}{n}"

    @staticmethod
    @Pipeline(Custom(Witness()))
    def twice(n: int) -> int:
        """Double."""
        return 2 * n


def test_methods_are_bound() -> None:
    """Methods, class methods and static methods get the self they expect."""
    service = Service()
    bound = service.multiply
    assert service.multiply(2) == bound(2) == Service.multiply(service, 2) == 20
    assert asyncio.run(service.multiply_later(3)) == 30
    assert Service.make(1) == service.make(1) == "Service1"
    assert Service.twice(4) == service.twice(4) == 8


def test_what_cannot_be_guarded_is_refused() -> None:
    """Classes, values and misplaced decorators are told what is wrong."""
    policy = Custom(Witness(), name="w")
    with pytest.raises(ConfigError, match=r"^a policy decorates a function, got <class 'int'>$"):
        policy(int)
    with pytest.raises(ConfigError, match=r"^a policy decorates a function, got 7$"):
        policy(7)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^put @staticmethod above the policy, not below it$"):
        policy(staticmethod(add))


@pytest.mark.parametrize("wrap", [functools.partial, lambda f: f])
def test_partials_of_coroutine_functions_are_awaited(wrap: Any) -> None:
    """A partial is seen through."""
    guarded = Custom(Witness())(wrap(add_later))
    assert asyncio.run(guarded(1)) == 3


def test_policies_hear_how_a_call_ended() -> None:
    """A result, an error and a cancellation reach every policy once, innermost first."""
    heard: list[tuple[str, Any, str]] = []
    both = Pipeline(Custom(Witness(heard, "outer")), Custom(Witness(heard, "inner")))

    def fail() -> None:
        raise LookupError("gone")

    def stop() -> None:
        raise KeyboardInterrupt

    assert both.call(add, 1) == 3
    with pytest.raises(LookupError):
        both.call(fail)
    with pytest.raises(KeyboardInterrupt):
        both.call(stop)
    assert heard == [
        ("inner", 3, ""), ("outer", 3, ""),
        ("inner", None, "LookupError"), ("outer", None, "LookupError"),
        ("inner", None, "KeyboardInterrupt"), ("outer", None, "KeyboardInterrupt"),
    ]  # fmt: skip


def test_a_refusal_passes_the_policies_outside_it_only() -> None:
    """Whoever stands inside the refusing policy never heard of the call."""
    heard: list[tuple[str, Any, str]] = []
    three = Pipeline(Custom(Witness(heard, "outer")), Custom(Refuses()), Custom(Witness(heard, "inner")))
    with pytest.raises(sw.Rejected, match=r"(?m)^not today$"):
        three.call(add, 1)
    assert heard == [("outer", None, "Rejected")]


def test_an_exception_says_through_which_policies_it_came() -> None:
    """A note names the pipeline's policies; the exception itself is the callee's, traceback included."""
    original = ValueError("wrong")

    def fail() -> None:
        raise original

    both = Pipeline(Custom(Witness(), name="outer"), Custom(Witness(), name="inner"))
    with pytest.raises(ValueError, match=r"(?m)^wrong$") as caught:
        both.call(fail)
    assert caught.value is original
    assert original.__notes__ == ["through Custom 'outer' > Custom 'inner'"]
    assert caught.traceback[-1].name == "fail"


def test_a_policy_that_fails_after_the_call_replaces_its_outcome() -> None:
    """What `after` raises is what the caller and the policies outside see."""

    class Strict(Witness):
        def after(self, token: Any, result: Any, error: BaseException | None) -> None:
            del token, error
            raise RuntimeError(f"{result} is not allowed")

    heard: list[tuple[str, Any, str]] = []
    with pytest.raises(RuntimeError, match=r"(?m)^3 is not allowed$"):
        Pipeline(Custom(Witness(heard, "outer")), Custom(Strict())).call(add, 1)
    assert heard == [("outer", None, "RuntimeError")]


async def test_a_guarded_coroutine_takes_no_turn_of_the_loop() -> None:
    """What the callee does not wait for, its policies do not wait for either."""
    order: list[str] = []

    async def immediate() -> None:
        order.append("guarded")

    asyncio.get_running_loop().call_soon(order.append, "loop")
    await Pipeline(Custom(Witness()), Custom(Witness()))(immediate)()
    assert order == ["guarded"]


async def test_a_cancelled_call_is_told_to_its_policies() -> None:
    """Cancelling the task ends the callee and every policy, and stays a cancellation."""
    heard: list[tuple[str, Any, str]] = []
    started = asyncio.Event()

    @Pipeline(Custom(Witness(heard, "outer")), Custom(Witness(heard, "inner")))
    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == [("inner", None, "CancelledError"), ("outer", None, "CancelledError")]


async def test_a_call_thrown_away_half_way_is_told_to_its_policies() -> None:
    """A guarded coroutine that nobody awaits any more gives back what it holds, like a closed coroutine."""
    heard: list[tuple[str, Any, str]] = []

    @Custom(Witness(heard, "only"))
    async def wait() -> None:
        await asyncio.sleep(0)

    flight = wait()
    flight.send(None)
    del flight
    gc.collect()
    assert heard == [("only", None, "GeneratorExit")]


def test_a_coroutine_never_awaited_is_warned_of() -> None:
    """Forgetting await is as visible as without policies."""
    guarded = Custom(Witness())(add_later)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        guarded(1)
    assert [str(one.message) for one in caught] == ["coroutine 'add_later' was never awaited"]


async def test_a_coroutine_is_awaited_once() -> None:
    """Awaiting twice is an error, as for any coroutine."""
    flight = Custom(Witness())(add_later)(1)
    assert await flight == 3
    with pytest.raises(RuntimeError, match=r"^cannot reuse already awaited coroutine$"):
        await flight


async def test_results_that_are_exceptions_or_tuples_stay_what_they_are() -> None:
    """StopIteration must not take results apart."""
    for value in ((1, 2), ValueError("a value"), StopIteration(3), None, ()):

        async def give(value: Any = value) -> Any:
            return value

        assert await Custom(Witness())(give)() is value


async def test_an_error_thrown_into_a_waiting_call_reaches_the_callee() -> None:
    """`throw` goes to where the callee waits, which may go on."""

    class Pause:
        def __await__(self) -> Iterator[str]:
            yield "paused"

    async def survive() -> str:
        try:
            await Pause()
        except LookupError:
            return "survived"
        return "undisturbed"

    flight: Any = Custom(Witness())(survive)()
    assert flight.send(None) == "paused"
    with pytest.raises(StopIteration) as stop:
        flight.throw(LookupError("now"))
    assert stop.value.value == "survived"


def test_a_generator_is_admitted_at_its_first_item_and_settled_after_its_last() -> None:
    """Send, throw, return values and early closing work as without policies."""
    heard: list[tuple[str, Any, str]] = []

    @Custom(Witness(heard, "only"))
    def count(n: int) -> Iterator[Any]:
        got = []
        for i in range(n):
            got.append((yield i))
        return got

    def consume() -> Any:
        return (yield from count(2))

    assert heard == []
    made = consume()
    assert [next(made), made.send("a")] == [0, 1]
    with pytest.raises(StopIteration) as stop:
        made.send("b")
    assert stop.value.value == ["a", "b"]
    assert [name for name, _, error in heard if not error] == ["only"]
    early = count(5)
    next(early)
    early.close()
    assert heard[-1] == ("only", None, "GeneratorExit")


async def test_an_async_generator_closed_early_gives_back_what_it_holds() -> None:
    """Leaving `async for` in the middle ends the policies' part too."""
    heard: list[tuple[str, Any, str]] = []

    @Custom(Witness(heard, "only"))
    async def count(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i

    assert [i async for i in count(3)] == [0, 1, 2]
    early = count(3)
    assert await anext(early) == 0
    await early.aclose()
    assert heard == [("only", None, ""), ("only", None, "GeneratorExit")]


def test_shadow_lets_everybody_pass_and_counts() -> None:
    """A policy in shadow refuses nobody and says how many it would have refused."""
    policy = Custom(Refuses(), shadow=True)
    assert [policy.call(add, 1) for _ in range(3)] == [3, 3, 3]
    assert (policy.let_through, policy.shadow, policy.enforce) == (3, True, 0.0)


@pytest.mark.parametrize(("share", "refused"), [(1.0, 100), (0.25, 25), (0.5, 50), (0.0, 0)])
def test_enforce_refuses_that_share(share: float, refused: int) -> None:
    """Refusals stand evenly, not by chance: of 100 exactly the share."""
    policy = Custom(Refuses(), enforce=share)
    outcomes = []
    for _ in range(100):
        try:
            policy.call(add, 1)
        except sw.Rejected:
            outcomes.append(1)
    assert sum(outcomes) == refused


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), True, "half"])
def test_a_share_outside_its_range_is_refused(bad: Any) -> None:
    """Enforce is a share."""
    with pytest.raises(ConfigError, match=r"^enforce must be a share from 0 to 1, got "):
        Custom(Witness(), enforce=bad)


def test_guarded_functions_pickle_by_name() -> None:
    """A guarded module function travels to another process like any function."""
    assert pickle.loads(pickle.dumps(picklable)) is picklable


picklable = Custom(Witness(), name="w")(add)
picklable.__dict__["__qualname__"] = "picklable"


def test_call_refuses_coroutine_functions() -> None:
    """A coroutine function needs call_async: otherwise the policies would see only its creation."""
    with pytest.raises(ConfigError, match=r"is a coroutine function: await call_async\(\.\.\.\) instead$"):
        Custom(Witness()).call(add_later, 1)


async def test_call_async_takes_both_kinds() -> None:
    """call_async awaits coroutine functions and calls plain ones."""
    both = Pipeline(Custom(Witness()), Custom(Witness()))
    assert await both.call_async(add_later, 1, b=4) == 5
    assert await both.call_async(add, 1) == 3  # type: ignore[arg-type]
