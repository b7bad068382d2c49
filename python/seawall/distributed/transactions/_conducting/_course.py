"""Courses: generators that say what is to be written, called and waited for, and do none of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from seawall.distributed.transactions._conducting._definitions import Action
from seawall.distributed.transactions._conducting._progress import Call
from seawall.engines.operation import Op
from seawall.guard.timeout import Timeout

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Ask:
    """An operation of the log to run."""

    operation: Op[Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A function of the user to call."""

    call: Call
    action: Action
    guard: Timeout | None
    context: Any


@dataclass(frozen=True, slots=True)
class Pause:
    """Let time pass, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Await:
    """Begin tasks, and come back with the ends of at least one of all that are under way, or with none in time.

    Args:
        tasks: To begin.
        seconds: The longest wait, by the machine's clock; None as long as it takes.
    """

    tasks: tuple[Task, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class End:
    """How a task ended: its result is JSON."""

    call: Call
    result: Any = None
    error: Exception | None = None


Course = Generator[Ask | Await | Pause, Any, R]
