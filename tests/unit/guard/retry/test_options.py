"""Options that can never work are refused with a way out."""

from __future__ import annotations

import pickle
import random
from datetime import timedelta
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard.retry import Constant, Decorrelated, Exponential, Fibonacci, Linear, NoJitter, RetryOptions

REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"attempts": 0},
        "attempts must be 1 to 1000, got 0; attempts altogether, the first included",
    ),
    (
        {"attempts": 2.0},
        "attempts must be a whole number, 1 to 1000, got 2.0; attempts altogether, the first included",
    ),
    (
        {"on": BaseException},
        "on must be made of subclasses of Exception, as cancellations are never retried, got <class 'BaseException'>; "
        "errors to retry: classes, or a predicate; by default those worth it",
    ),
    (
        {"on": (TimeoutError, KeyboardInterrupt)},
        "on must be made of subclasses of Exception, as cancellations are never retried, "
        "got (<class 'TimeoutError'>, <class 'KeyboardInterrupt'>); "
        "errors to retry: classes, or a predicate; by default those worth it",
    ),
    (
        {"on": ()},
        "on must be an exception class, a tuple of them, a predicate of the exception, or None, got (); "
        "errors to retry: classes, or a predicate; by default those worth it",
    ),
    (
        {"on": [TimeoutError]},
        "on must be an exception class, a tuple of them, a predicate of the exception, or None, "
        "got [<class 'TimeoutError'>]; errors to retry: classes, or a predicate; by default those worth it",
    ),
    (
        {"on_result": 503},
        "on_result must be a predicate of the result or None, got 503; results to retry, by a predicate",
    ),
    (
        {"backoff": Exponential},
        "backoff must be a backoff of seawall.guard.retry, such as Exponential(0.1), or seconds, "
        "got <class 'seawall.guard.retry._backoff.Exponential'>; waits between attempts; a number is a constant wait",
    ),
    (
        {"backoff": sw.Constant(10)},
        f"backoff must be a backoff of seawall.guard.retry, such as Exponential(0.1), or seconds, "
        f"got {sw.Constant(10)!r}; waits between attempts; a number is a constant wait",
    ),
    ({"backoff": -1}, "backoff must be 0 s to 2.8823e+08 s, got -1"),
    (
        {"jitter": "some"},
        "jitter must be 'full', 'equal', 'decorrelated', 'none', or an object with a method spread(wait, rng), "
        "got 'some'; chance in the waits",
    ),
    (
        {"jitter": "decorrelated", "backoff": 1},
        "jitter 'decorrelated' needs a backoff with start and cap, such as Exponential, got 1",
    ),
    (
        {"max_time": 0},
        "max_time must be above 0 to 31536000 s or None, got 0; no attempt begins later after the first one",
    ),
    ({"budget": 0.2}, "budget must be a RetryBudget or None, got 0.2; what pays for retries"),
    (
        {"nested": "multiply"},
        "nested must be one of 'stand_back', 'allow', got 'multiply'; "
        "inside another retry: make one attempt, or retry nevertheless",
    ),
    (
        {"seed": "x"},
        "seed must be a whole number, a random.Random or None, got 'x'; "
        "makes the waits repeatable; by default the system's chance",
    ),
    ({"name": ""}, "name must be a str of 1 to 100 bytes, got ''"),
    ({"clock": 1}, "clock must be a seawall Clock (SystemClock or ManualClock), got 1"),
    ({"shadow": 1}, "shadow must be True or False, got 1"),
    ({"enforce": 2}, "enforce must be a share from 0 to 1, got 2"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_an_option_that_can_never_work_is_refused(options: dict[str, Any], message: str) -> None:
    """The message says what was wrong, the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        sw.Retry(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(-1), "seconds must be 0 s to 2.8823e+08 s, got -1"),
        (lambda: Linear(5, 1, 2), "cap must be at least start, which is 5 s, got 2 s"),
        (lambda: Linear(0, -1), "step must be 0 s to 2.8823e+08 s, got -1"),
        (lambda: Exponential(0), "start must be 1 ns to 2.8823e+08 s, got 0"),
        (lambda: Exponential(1, 0.5), "factor must be 1 to 100, got 0.5"),
        (lambda: Exponential(1, float("nan")), "factor must be 1 to 100, got nan"),
        (lambda: Exponential(1, 2, 0.5), "cap must be at least start, which is 1 s, got 0.5 s"),
        (lambda: Fibonacci("1"), "unit must be seconds (a number) or a timedelta, got '1'"),
        (lambda: Decorrelated(1, float("inf")), "cap must be 1 ns to 2.8823e+08 s, got inf"),
    ],
)
def test_a_backoff_that_can_never_work_is_refused(make: Any, message: str) -> None:
    """A backoff checks itself when it is made."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def waits(backoff: Any, count: int) -> list[float]:
    """The first waits, in seconds."""
    rng, out = random.Random(1), [0]
    for attempt in range(1, count + 1):
        out.append(backoff.wait(attempt, out[-1], rng))
    return [wait / 1e9 for wait in out[1:]]


def test_backoffs_grow_as_they_say() -> None:
    """The waits of the four that are without chance."""
    assert waits(Constant(0.5), 3) == [0.5, 0.5, 0.5]
    assert waits(Linear(0.1, 0.2, 0.6), 5) == [0.1, 0.3, 0.5, 0.6, 0.6]
    assert waits(Exponential(0.1, 3, 2), 5) == [0.1, 0.3, 0.9, 2, 2]
    assert waits(Fibonacci(0.1, 1), 8) == [0.1, 0.1, 0.2, 0.3, 0.5, 0.8, 1, 1]


def test_durations_may_be_timedeltas() -> None:
    """Seconds or timedelta, as everywhere."""
    assert waits(Exponential(timedelta(seconds=1), cap=timedelta(minutes=1)), 2) == [1, 2]
    assert RetryOptions(max_time=timedelta(minutes=1)).max_time == 60


def test_backoffs_are_values() -> None:
    """Equal settings are equal, hash alike, and survive pickling; the readable form is how they are made."""
    made = Exponential(0.2, 3.0, 5.0)
    assert made == Exponential(0.2, 3.0, 5.0)
    assert hash(made) == hash(Exponential(0.2, 3.0, 5.0))
    assert repr(made) == "Exponential(start=0.2, factor=3.0, cap=5.0)"
    assert waits(pickle.loads(pickle.dumps(made)), 2) == waits(made, 2)


def test_decorrelated_is_a_backoff_and_a_jitter() -> None:
    """As a jitter it takes start and cap of the backoff; it brings its own chance, to which none is added."""
    as_jitter = RetryOptions(backoff=Exponential(1, 2, 9), jitter="decorrelated")
    assert as_jitter.waits() == (Decorrelated(1, 9), NoJitter())
    assert RetryOptions(backoff=Decorrelated(1, 9), jitter="full").waits() == (Decorrelated(1, 9), NoJitter())


class Odd:
    """A backoff of the user's that answers in seconds."""

    def wait(self, attempt: int, previous: int, rng: random.Random) -> Any:
        """Half a second, it thinks."""
        del attempt, previous, rng
        return 0.5

    def __repr__(self) -> str:
        return "Odd()"


def test_a_backoff_of_the_users_that_answers_nonsense_is_named() -> None:
    """The call ends with an error that says which object answered what."""

    def failing() -> None:
        raise TimeoutError

    with pytest.raises(ConfigError) as caught:
        sw.Retry(backoff=Odd()).call(failing)
    assert str(caught.value) == "Odd() must answer a whole number of nanoseconds, at least 0, got 0.5"


def test_a_retry_survives_pickling() -> None:
    """A process pool gets a retry with the same options (rivals' retries cannot be pickled)."""
    made = sw.Retry(4, on=(KeyError,), backoff=Fibonacci(0.5), jitter="equal", name="fetch", shadow=True)
    copy = pickle.loads(pickle.dumps(made))
    assert repr(copy) == repr(made)
    assert (copy.shadow, copy.name) == (True, "fetch")


def test_a_retry_with_a_manual_clock_does_not_pickle() -> None:
    """A copy of a manual clock would stand still."""
    with pytest.raises(TypeError):
        pickle.dumps(sw.Retry(clock=ManualClock()))
