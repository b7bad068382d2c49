"""Parts of presets: a number, a policy of the caller's own, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from seawall.errors import ConfigError
from seawall.guard._policy import Policy, name_of
from seawall.guard.fallback import Fallback
from seawall.guard.pipeline import Pipeline

NO_FALLBACK: Any = type("NoFallback", (), {"__repr__": lambda _: "NO_FALLBACK"})()

Part = Any  # a number for the standard policy, a policy to stand in its place, None to leave it out


def part(given: Part, standard: Callable[[Any], Policy]) -> tuple[Policy, ...]:
    """The policy for one place in a preset, if any."""
    if given is None:
        return ()
    if isinstance(given, Policy):
        return (given,)
    return (standard(given),)


def chosen(given: Any, standard: Callable[[], Policy]) -> tuple[Policy, ...]:
    """The policy for a place whose standard takes no number: True for it."""
    if given is True:
        return (standard(),)
    if given is None or isinstance(given, Policy):
        return part(given, lambda _: standard())
    raise ConfigError(f"breaker must be True, None or a policy, got {given!r}")


def outermost(fallback: Any, name: str, clock: Any) -> tuple[Policy, ...]:
    """A fallback made of an answer, where there is one."""
    if fallback is NO_FALLBACK:
        return ()
    if isinstance(fallback, Fallback):
        return (fallback,)
    return (Fallback(fallback, name=f"{name}.fallback", clock=clock),)


def assembled(name: str, places: Iterable[tuple[Policy, ...]]) -> Pipeline:
    """The parts that are there, outermost first."""
    return Pipeline(*(policy for place in places for policy in place), name=name)


def named(name: str) -> str:
    """A name that leaves room for those of the parts."""
    name_of(name, "")
    if len(name.encode()) > 80:
        raise ConfigError(f"name must be a str of 1 to 80 bytes, got {name!r}")
    return name
