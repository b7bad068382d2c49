"""What limits across machines with and without keys have in common."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, NoReturn, cast

from seawall._core.policy import Policy, Waiting
from seawall.distributed.limits._asker import Asker
from seawall.distributed.limits._events import AwayChanged, DistributedStats
from seawall.distributed.limits._levels import Keys, Level
from seawall.distributed.limits._options import DistributedOptions
from seawall.engines import Engine
from seawall.guard.limits import Decision
from seawall.guard.limits._options import Patience
from seawall.patterns import Signal


class Calls:
    """Asks, waits, counts and describes itself; `keys` has a key for each level."""

    _asker: Asker
    _lenient: Waiting

    def _start(
        self,
        engine: Engine,
        name: str,
        levels: Sequence[Level],
        options: DistributedOptions,
        max_keys: int,
    ) -> None:
        self._asker = Asker(engine, name, levels, options, max_keys)

    def _be_lenient(self, shadow: bool, enforce: float) -> None:
        # Not for the kernels: in shadow they would ask the engine in a task's thread before the call could wait.
        self._lenient = Waiting()
        self._lenient._lenience(shadow, enforce)
        cast(Policy, self)._lenience(False, 1.0)

    @property
    def shadow(self) -> bool:
        """Decides and counts, but refuses nobody."""
        return self._lenient.shadow

    @property
    def enforce(self) -> float:
        """The share of refusals that stand."""
        return self._lenient.enforce

    @property
    def let_through(self) -> int:
        """Refusals that did not stand."""
        return self._lenient.let_through

    @property
    def away_changed(self) -> Signal[AwayChanged]:
        """Tells when the engine goes away and when it is back."""
        return self._asker.away.changed

    def stats(self) -> DistributedStats:
        """What this object has done so far. Asks nobody."""
        asker, away = self._asker, self._asker.away
        return DistributedStats(
            asker.name,
            self._settings(),
            asker.engine.name,
            asker.admitted.value,
            asker.refused.value,
            len(asker.lines),
            self.shadow,
            away.is_away,
            away.admitted.value,
            away.refused.value,
            away.outages,
        )

    def _settings(self) -> str:
        return "; ".join(level.settings for level in self._asker.levels)

    def _ask(self, cost: Any, keys: Keys, key: Hashable) -> Decision:
        return self._leniently(self._asker.run(self._asker.ask(cost, keys, key)))

    async def _ask_async(self, cost: Any, keys: Keys, key: Hashable) -> Decision:
        return self._leniently(await self._asker.run_async(self._asker.ask(cost, keys, key)))

    def _look(self, cost: Any, keys: Keys, key: Hashable) -> Decision:
        return self._seen(self._asker.run(self._asker.ask(cost, keys, key, consume=False)))

    async def _look_async(self, cost: Any, keys: Keys, key: Hashable) -> Decision:
        return self._seen(await self._asker.run_async(self._asker.ask(cost, keys, key, consume=False)))

    def _leniently(self, decision: Decision) -> Decision:
        if decision.admitted or not self._lenient._pardon():
            return decision
        return decision._replace(admitted=True)

    def _seen(self, decision: Decision) -> Decision:
        return decision._replace(admitted=True) if self.shadow else decision

    def _come_in(self, cost: Any, keys: Keys, key: Hashable, timeout: float | timedelta | None) -> None:
        asker = self._asker
        if self._is_lenient and self._ask(cost, keys, key).admitted:
            return
        with Patience(timeout) as longest, self._turn(keys, longest) as left:
            asker.run(asker.take(cost, keys, key, left))

    async def _come_in_async(self, cost: Any, keys: Keys, key: Hashable, timeout: float | timedelta | None) -> None:
        asker = self._asker
        if self._is_lenient and (await self._ask_async(cost, keys, key)).admitted:
            return
        with Patience(timeout) as longest:
            if asker.places_ahead:
                await asker.run_async(asker.take(cost, keys, key, longest))
                return
            async with asker.lines.turn_async(asker.line_of(keys), longest) as left:
                await asker.run_async(asker.take(cost, keys, key, left))

    def _turn(self, keys: Keys, longest: float) -> AbstractContextManager[float]:
        asker = self._asker
        return nullcontext(longest) if asker.places_ahead else asker.lines.turn(asker.line_of(keys), longest)

    @property
    def _is_lenient(self) -> bool:
        return self.enforce < 1.0

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} {self._asker.name!r} cannot be pickled: open the engine where it is needed and "
            "make the limit there; limits of one name are one limit"
        )
