"""Load tests in the open model: requests start when the pattern says, whether or not earlier ones were answered."""

from seawall.measure.load._arrivals import arrival_times
from seawall.measure.load._parse import parse, parse_duration
from seawall.measure.load._patterns import Constant, Linear, Pattern, Sine, Spike, Step
from seawall.measure.load._plans import Plan
from seawall.measure.load._sparkline import sparkline

__all__ = [
    "Constant",
    "Linear",
    "Pattern",
    "Plan",
    "Sine",
    "Spike",
    "Step",
    "arrival_times",
    "parse",
    "parse_duration",
    "sparkline",
]
