"""Options of fallbacks, and which errors they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from seawall.errors import ConfigError, Kind, classify
from seawall.patterns import Options, option

On = type[BaseException] | Kind | Callable[[BaseException], bool] | Iterable[type[BaseException] | Kind]
Test = Callable[[BaseException], bool]

_RECOVERABLE = frozenset({Kind.transient, Kind.unavailable, Kind.timeout, Kind.rate_limited})


class FallbackOptions(Options):
    """When a fallback answers."""

    on: Any = option(
        default=None, help="exception types, kinds or a predicate; None: what classification calls recoverable"
    )
    factory: Any = option(default=None, help="called for a new value each time, after all other steps")


class StaleOptions(Options):
    """What a fallback to the last good result keeps."""

    ttl: float | timedelta = option(unit="s", above=0, most=31_536_000, help="age beyond which a result is of no use")
    max_entries: int = option(default=1024, least=1, most=10_000_000, help="results kept; the least recently used goes")
    key: Any = option(
        default=None, help="function of the call's arguments that tells results apart; None: the arguments"
    )


def test_of(on: On | None) -> Test:
    """The question `on` asks of an error."""
    if on is None:
        return _is_recoverable
    kinds = tuple(on) if isinstance(on, Iterable) else (on,)
    if (
        all(isinstance(kind, Kind) or (isinstance(kind, type) and issubclass(kind, Exception)) for kind in kinds)
        and kinds
    ):
        types = tuple(kind for kind in kinds if isinstance(kind, type))
        wanted = frozenset(kind for kind in kinds if isinstance(kind, Kind))
        return lambda error: isinstance(error, types) or (bool(wanted) and classify(error).kind in wanted)
    if callable(on) and not isinstance(on, type):
        return on
    raise ConfigError(
        f"on must be a subclass of Exception, a Kind, a collection of those, or a predicate of the error, got {on!r}; "
        "cancellation is never answered by a fallback"
    )


def _is_recoverable(error: BaseException) -> bool:
    found = classify(error)
    return found.refused or found.kind in _RECOVERABLE
