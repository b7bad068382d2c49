"""What every engine is opened with; engines add their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

from seawall.errors import ConfigError
from seawall.patterns import Options, option

O = TypeVar("O", bound="EngineOptions")  # noqa: E741
_BOOLS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class EngineOptions(Options):
    """Options of every engine; in a URL as `?operation_timeout=2`, or as keywords of `open_engine`."""

    pool_size: int = option(default=8, least=1, most=1_000, help="connections of one process, opened when needed")
    connect_timeout: float | timedelta = option(
        default=5.0, unit="s", least=0.001, most=3_600, help="longest time to open a connection"
    )
    operation_timeout: float | timedelta = option(
        default=5.0, unit="s", least=0.001, most=3_600, help="longest time of one operation, its retries included"
    )
    attempts: int = option(default=8, least=1, most=100, help="tries of what may be tried again within that time")
    break_after: int = option(default=8, least=1, most=1_000, help="failures in a row after which it is not asked")
    break_for: float | timedelta = option(
        default=1.0, unit="s", least=0.001, most=3_600, help="how long it is then not asked"
    )

    @property
    def timeout(self) -> float:
        """`operation_timeout` in seconds."""
        return float(self.operation_timeout)  # type: ignore[arg-type]  # kept as seconds


def options_of(kind: type[O], query: Mapping[str, str], given: Mapping[str, Any]) -> O:
    """Options from a URL's query and from keywords, which go first.

    Raises:
        ConfigError: One is unknown, has no such value, or is given twice.
    """
    if twice := sorted(query.keys() & given.keys()):
        raise ConfigError(f"{', '.join(twice)}: given in the URL and as a keyword; give it once")
    return kind.from_dict({**{name: _read(kind, name, text) for name, text in query.items()}, **given})


def _read(kind: type[EngineOptions], name: str, text: str) -> Any:
    spec = kind.specs().get(name)
    wanted = spec.kind if spec is not None else str
    if wanted is bool:
        return _BOOLS.get(text.lower(), text)
    if wanted in (int, float):
        try:
            return wanted(text)
        except ValueError:
            return text
    return text
