"""Faults over time, written down or drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from seawall.errors import ConfigError
from seawall.patterns import Options, option
from seawall.testing._fault_proxy_faults import (
    KINDS,
    Bandwidth,
    BlackHole,
    Corrupt,
    Cut,
    Direction,
    Fault,
    HalfClose,
    Latency,
    Pause,
    Refuse,
    Reset,
    SlowClose,
    Stall,
    Truncate,
)

_YEAR = 31_536_000.0
_DIRECTIONS: tuple[Direction, ...] = ("to_server", "to_client", "both")


def _is_fault(value: Any) -> str | None:
    return None if isinstance(value, Fault) else "a fault such as Latency(0.2)"


class FaultStep(Options):
    """A fault for a time.

    Args:
        at: When it is added, in seconds from the start of the plan.
        fault: What is added.
        lasts: When it is removed, in seconds from `at`; None for never. A Cut is over at once.

    Example:
        >>> FaultStep(1.5, BlackHole(), lasts=0.5)
        FaultStep(1.5, BlackHole(), lasts=0.5)
    """

    at: float | timedelta = option(unit="s", least=0, most=_YEAR, help="when the fault is added")
    fault: Fault = option(check=_is_fault, help="what is added")
    lasts: float | timedelta | None = option(default=None, unit="s", least=0, most=_YEAR, help="time until its end")

    def __init__(self, at: float | timedelta, fault: Fault, *, lasts: float | timedelta | None = None) -> None:
        for name, value in (("at", at), ("fault", fault), ("lasts", lasts)):
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __repr__(self) -> str:
        return f"FaultStep({self.at!r}, {self.fault!r}{'' if self.lasts is None else f', lasts={self.lasts!r}'})"


class FaultPlan(Sequence[FaultStep]):
    """Steps in the order of their times; `proxy.play(plan)` plays them. It never changes.

    Guarantees: its repr is Python that makes it again, `to_json` and `from_json` do the same for files.

    Args:
        steps: In any order.

    Raises:
        ConfigError: There are other things than steps in it.

    Example:
        >>> plan = FaultPlan([FaultStep(1.0, Cut()), FaultStep(0.5, Latency(0.1), lasts=2.0)])
        >>> print(plan)
        0.500 s  Latency(0.1) for 2 s
        1.000 s  Cut()
        >>> FaultPlan.random(7, 10.0) == FaultPlan.random(7, 10.0) == eval(repr(FaultPlan.random(7, 10.0)))
        True
    """

    def __init__(self, steps: Iterable[FaultStep] = ()) -> None:
        given = list(steps)
        if wrong := [each for each in given if not isinstance(each, FaultStep)]:
            raise ConfigError(f"a plan is made of FaultStep objects, got {wrong[0]!r}; FaultStep(1.0, Latency(0.2))")
        self._steps = tuple(sorted(given, key=lambda step: float(step.at)))  # type: ignore[arg-type]

    @classmethod
    def random(
        cls, seed: int, duration: float | timedelta, kinds: Iterable[type[Fault]] | None = None, *, count: int = 10
    ) -> FaultPlan:
        """A plan by chance, all of it over by `duration`: afterwards what was tested should recover.

        Args:
            seed: The same seed draws the same plan.
            duration: Length in seconds, 0.001 to 31,536,000.
            kinds: Classes of faults to draw from, by default all. One draws the same as in any order.
            count: How many steps, 1 to 10,000.

        Raises:
            ConfigError: An argument is wrong.
        """
        drawn = _Drawing(seed=seed, duration=duration, count=count)
        length, chance = drawn.seconds, Random(drawn.seed)
        names = sorted(_kind_names(kinds))
        return cls(_step(chance, KINDS[chance.choice(names)], length) for _ in range(drawn.count))

    @classmethod
    def from_json(cls, text: str) -> FaultPlan:
        """The plan that `to_json` wrote.

        Raises:
            ConfigError: It is no plan, or something in it is wrong.
        """
        try:
            return cls(_step_from(row) for row in json.loads(text))
        except (TypeError, KeyError, json.JSONDecodeError) as error:
            raise ConfigError(f"text must be a plan as to_json wrote it, got {text[:80]!r}: {error!r}") from error

    def to_json(self) -> str:
        """As text for a file."""
        rows = [{**step.as_dict(), "fault": type(step.fault).__name__, **_values(step)} for step in self]
        return json.dumps(rows, indent=2)

    def __getitem__(self, index: Any) -> Any:
        return self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[FaultStep]:
        return iter(self._steps)

    def __eq__(self, other: object) -> bool:
        return self._steps == other._steps if isinstance(other, FaultPlan) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._steps)

    def __repr__(self) -> str:
        return f"FaultPlan([{', '.join(map(repr, self))}])"

    def __str__(self) -> str:
        return "\n".join(
            f"{step.at:.3f} s  {step.fault!r}{'' if step.lasts is None else f' for {step.lasts:g} s'}" for step in self
        )


class _Drawing(Options):
    seed: int = option(help="the same seed draws the same plan")
    duration: float | timedelta = option(unit="s", least=0.001, most=_YEAR, help="length of the plan")
    count: int = option(default=10, least=1, most=10_000, help="steps of the plan")

    @property
    def seconds(self) -> float:
        return float(self.duration)  # type: ignore[arg-type] # kept as seconds


def _kind_names(kinds: Iterable[type[Fault]] | None) -> list[str]:
    given = list(KINDS.values() if kinds is None else kinds)
    if not given or (wrong := [kind for kind in given if kind not in KINDS.values()]):
        shown = repr(wrong[0]) if given else "none"
        raise ConfigError(f"kinds must be one or more of {', '.join(KINDS)}, got {shown}")
    return [kind.__name__ for kind in given]


def _step(chance: Random, kind: type[Fault], length: float) -> FaultStep:
    at = round(chance.uniform(0.0, length * 0.9), 3)
    lasts = round(chance.uniform(0.0, max(0.0, length - at - 0.001)), 3)
    return FaultStep(at, _DRAW[kind.__name__](chance, length), lasts=None if kind is Cut else lasts)


_DRAW: dict[str, Callable[[Random, float], Fault]] = {
    "Bandwidth": lambda chance, _: Bandwidth(round(10 ** chance.uniform(3, 6)), **_common(chance)),
    "BlackHole": lambda chance, _: BlackHole(**_common(chance)),
    "Corrupt": lambda chance, _: Corrupt(round(10 ** chance.uniform(-4, -1), 6), **_common(chance)),
    "Cut": lambda chance, _: Cut(connections=_share(chance)),
    "HalfClose": lambda chance, _: HalfClose(_bytes(chance), **_common(chance)),
    "Latency": lambda chance, length: Latency(_time(chance, length), jitter=_time(chance, length), **_common(chance)),
    "Pause": lambda chance, _: Pause(**_common(chance)),
    "Refuse": lambda _chance, _: Refuse(),
    "Reset": lambda chance, _: Reset(after_bytes=_bytes(chance), **_common(chance)),
    "SlowClose": lambda chance, length: SlowClose(_time(chance, length), **_common(chance)),
    "Stall": lambda chance, length: Stall(_time(chance, length), after_bytes=_bytes(chance), **_common(chance)),
    "Truncate": lambda chance, _: Truncate(_bytes(chance), **_common(chance)),
}


def _common(chance: Random) -> dict[str, Any]:
    return {"direction": chance.choice(_DIRECTIONS), "connections": _share(chance)}


def _share(chance: Random) -> float:
    return chance.choice((0.25, 0.5, 1.0))


def _bytes(chance: Random) -> int:
    return int(10 ** chance.uniform(0, 5)) - 1


def _time(chance: Random, length: float) -> float:
    return round(chance.uniform(0.0, length / 10), 3)


def _values(step: FaultStep) -> dict[str, Any]:
    return {"options": step.fault.as_dict()}


def _step_from(row: dict[str, Any]) -> FaultStep:
    if row["fault"] not in KINDS:
        raise ConfigError(f"fault must be one of {', '.join(KINDS)}, got {row['fault']!r}")
    return FaultStep(row["at"], KINDS[row["fault"]](**row["options"]), lasts=row["lasts"])
