"""Limits in a dictionary."""

from __future__ import annotations

from functools import partial

from seawall.engines._driver import Driver
from seawall.engines._guarantees import Guarantees
from seawall.engines._ports import Meter, Reading, Rule, State, decide
from seawall.engines.operation import Op, Send

_SWEEP_EVERY = 4096


class MeterState:
    """One namespace. Every method is one step at `now`, in nanoseconds, and called under the wire's lock."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[State, int]] = {}
        self._until_sweep = _SWEEP_EVERY

    def update(self, rules: tuple[tuple[str, Rule], ...], consume: bool, now: int) -> tuple[Reading, ...]:
        """Decide, and remember what was decided."""
        now_us = now // 1000
        states = [self._states.get(key, (None, 0))[0] for key, _ in rules]
        after, readings = decide([rule for _, rule in rules], states, now_us, consume)
        for (key, _), state, reading in zip(rules, after or (), readings, strict=False):
            self._states[key] = state, now_us + round(reading.reset_after * 1e6)
        self._sweep(now_us)
        return readings

    def reset(self, key: str, now: int) -> bool:
        """Forget a key."""
        del now
        return self._states.pop(key, None) is not None

    def _sweep(self, now_us: int) -> None:
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._states = {key: kept for key, kept in self._states.items() if kept[1] > now_us}
            self._until_sweep = max(_SWEEP_EVERY, len(self._states))


class MemoryMeter(Meter):
    """The port over one namespace."""

    def __init__(self, driver: Driver, namespace: str, guarantees: Guarantees, state: MeterState) -> None:
        super().__init__(driver, namespace, guarantees)
        self._state = state

    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        readings: tuple[Reading, ...] = yield Send(partial(self._state.update, rules, consume))
        return readings

    def _reset(self, key: str) -> Op[bool]:
        known: bool = yield Send(partial(self._state.reset, key))
        return known
