"""The ground floor: signals, registries, strategies, validated options and adapters, used by every room above."""

from seawall.patterns._adapter import Adapter, conform, missing_parts
from seawall.patterns._builder import Builder
from seawall.patterns._failures import SignalFailure
from seawall.patterns._option import option
from seawall.patterns._options import Options
from seawall.patterns._registry import Registry
from seawall.patterns._signal import Connection, Signal
from seawall.patterns._strategy import Strategy, StrategyChanged

__all__ = [
    "Adapter",
    "Builder",
    "Connection",
    "Options",
    "Registry",
    "Signal",
    "SignalFailure",
    "Strategy",
    "StrategyChanged",
    "conform",
    "missing_parts",
    "option",
]
