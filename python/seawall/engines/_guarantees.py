"""What an engine promises, and what a caller may insist on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from seawall.errors import ConfigError


class Durability(IntEnum):
    """What an acknowledged write survives; each includes those before it."""

    none = 0
    """Nothing: it ends with the process that holds it."""
    process = 1
    """The death of the client: another process holds it, in memory."""
    os = 2
    """The death (kill -9) of whoever holds it: the operating system has it."""
    disk = 3
    """A power cut: it was on disk before the answer came."""


class Consistency(IntEnum):
    """What readers may see; each includes those before it."""

    eventual = 0
    """Older state at times."""
    sequential = 1
    """One order for all, each reader possibly behind."""
    linearizable = 2
    """Every answer as if all calls took place one after another, each between its start and its end."""


class WatchResume(IntEnum):
    """What a watch can do after an interruption; each includes those before it."""

    none = 0
    """There is no watch."""
    resync = 1
    """Say that something was missed, and give the whole state."""
    resume = 2
    """Go on from the last revision within the history that is kept; beyond it, resync."""


class TimeSource(IntEnum):
    """Whose clock leases, claims and limits go by."""

    process = 0
    """The clock given to the engine, monotonic: exact, for one process."""
    machine = 1
    """The monotonic clock of the machine, the same for its processes: no step of a wall clock moves it."""
    server = 2
    """The server's wall clock."""
    server_monotonic = 3
    """The server's own passing of time, which no step of a wall clock moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantees:
    """What one port of an engine promises, with the options it was opened with.

    Args:
        durability: What a write survives once it was acknowledged.
        consistency: What readers may see.
        fencing: Tokens and revisions grow for as long as the data lives; how long that is, `durability` says.
        watch: What a watch can do after an interruption.
        clock: Whose clock leases and limits go by.
        lease_precision: A lease ends at most this much later than its time, in seconds; never earlier by `clock`.
        watch_latency: A change is seen by a watch at most this much later, in seconds, when nothing is overloaded.
        transactional: An append can join the caller's own transaction on the same database.
    """

    durability: Durability
    consistency: Consistency
    fencing: bool
    watch: WatchResume
    clock: TimeSource
    lease_precision: float
    watch_latency: float
    transactional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """The least that a caller accepts; None does not care. `open_engine(url, require=Require(...))` checks it at once.

    Example:
        >>> from seawall.engines import open_engine
        >>> Require(durability=Durability.disk).shortfalls(open_engine("memory://").guarantees)
        ('durability disk (it has none)',)
    """

    durability: Durability | None = None
    consistency: Consistency | None = None
    fencing: bool | None = None
    watch: WatchResume | None = None
    lease_precision: float | None = None
    watch_latency: float | None = None
    transactional: bool | None = None

    def shortfalls(self, given: Guarantees) -> tuple[str, ...]:
        """What `given` falls short of, in words; empty when it suffices."""
        return tuple(
            f"{field.name} {_word(wanted)} (it has {_word(has)})"
            for field in fields(self)
            if (wanted := getattr(self, field.name)) is not None
            and not _suffices(field.name, has := getattr(given, field.name), wanted)
        )

    def insist(self, given: Guarantees, what: str) -> None:
        """Go on only when `given` suffices.

        Raises:
            ConfigError: It does not; names what is missing.
        """
        if missing := self.shortfalls(given):
            raise ConfigError(
                f"{what} cannot promise {' nor '.join(missing)}; require less, or see docs/reference/engines.md for an "
                "engine that can"
            )


def _suffices(name: str, has: Any, wanted: Any) -> bool:
    return bool(has <= wanted if name in ("lease_precision", "watch_latency") else has >= wanted)


def _word(value: Any) -> str:
    return value.name if isinstance(value, IntEnum) else f"{value:g} s" if isinstance(value, float) else str(value)
