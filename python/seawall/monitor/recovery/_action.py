"""What can be done, with its bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from seawall.clock import Clock, SystemClock
from seawall.errors import ConfigError
from seawall.guard.limits import SlidingLog
from seawall.memory import Segment
from seawall.patterns import Options, option

Work = Callable[[], Any]
_LONGEST = 86_400.0 * 31


class ActionOptions(Options):
    """The bounds of an action."""

    timeout: float | timedelta = option(
        default=30.0, unit="s", above=0, most=_LONGEST, help="after it an action that has not ended is told as hanging"
    )
    settle: float | timedelta = option(
        default=30.0, unit="s", least=0, most=_LONGEST, help="an action that ended has so long to show that it helped"
    )
    cooldown: float | timedelta = option(
        default=60.0, unit="s", least=0, most=_LONGEST, help="least time between two starts of the action by a rule"
    )


class Budget:
    """At most `limit` starts in any `window`, and with a segment over all workers of the machine together.

    Guarantees: exact, also while workers come, go and are killed: what was spent stays spent.

    Args:
        limit: Starts.
        window: Seconds or a timedelta.
        shared: A segment, or its name.
        name: The slot in the segment.
        clock: Where time comes from; the same as the engine's.

    Example:
        >>> from seawall import ManualClock
        >>> budget = Budget(1, 3600, clock=ManualClock())
        >>> budget.take(), budget.take(), budget.wait()
        (True, False, 3600.0)
    """

    def __init__(
        self,
        limit: int,
        window: float | timedelta,
        *,
        shared: Segment | str | None = None,
        name: str = "recovery",
        clock: Clock | None = None,
    ) -> None:
        self._log = SlidingLog(limit, window=window, shared=shared, name=name, clock=clock or SystemClock())
        self.limit, self.window = limit, window

    def take(self) -> bool:
        """Spend one start, if there is one."""
        return self._log.try_acquire()

    def wait(self) -> float:
        """Seconds until there is a start to spend; 0 when there is one now."""
        return self._log.peek().retry_after or 0.0

    def __repr__(self) -> str:
        return f"Budget({self.limit}, {self.window!r})"


class Action:
    """Something to do about a condition.

    A failing or hanging action never keeps the engine from going on. Two rules may name the same action: it never runs
    twice at once.

    Args:
        name: For people, and its identity.
        work: A function or coroutine function without arguments. What it returns is noted in the audit trail; what it
            raises makes it a failure.
        undo: Another one that takes it back once the condition has cleared; None where nothing is to be taken back.
        timeout: After it an action that has not ended is told as hanging, and the next one is tried. A coroutine is
            then cancelled; a thread cannot be, and the action is not started again before it has ended.
        settle: So long it has to show that it helped.
        cooldown: Least time between two starts by a rule.
        budget: Its own, besides that of the engine.

    Raises:
        ConfigError: an option that can never work.

    Example:
        >>> Action("flush", lambda: "3 entries", cooldown=300)
        Action('flush', timeout=30.0, settle=30.0, cooldown=300.0)
    """

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        undo: Work | None = None,
        timeout: float | timedelta = 30.0,
        settle: float | timedelta = 30.0,
        cooldown: float | timedelta = 60.0,
        budget: Budget | None = None,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigError(f"name of an action must be text, got {name!r}; the audit trail calls it so")
        for what, given in (("work", work), ("undo", undo)):
            if not callable(given) and not (what == "undo" and given is None):
                raise ConfigError(f"{what} of action {name!r} must be a function without arguments, got {given!r}")
        self.options = ActionOptions(timeout=timeout, settle=settle, cooldown=cooldown)
        self.name, self.work, self.undo, self.budget = name, work, undo, budget

    @property
    def timeout(self) -> float:
        """The option `timeout` in seconds."""
        return float(self.options.timeout)  # type: ignore[arg-type]  # kept as seconds

    @property
    def settle(self) -> float:
        """The option `settle` in seconds."""
        return float(self.options.settle)  # type: ignore[arg-type]  # kept as seconds

    @property
    def cooldown(self) -> float:
        """The option `cooldown` in seconds."""
        return float(self.options.cooldown)  # type: ignore[arg-type]  # kept as seconds

    def __repr__(self) -> str:
        return f"Action({self.name!r}, timeout={self.timeout}, settle={self.settle}, cooldown={self.cooldown})"
