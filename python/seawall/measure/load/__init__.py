"""Load tests in the open model: requests start when the pattern says, whether or not earlier ones were answered."""

from seawall.measure.load._arrivals import Arrivals, arrival_times
from seawall.measure.load._baselines import FOLDER as BASELINE_FOLDER
from seawall.measure.load._baselines import Baseline, Baselines, SavedRun
from seawall.measure.load._compare import compare
from seawall.measure.load._comparison import Comparison, Difference
from seawall.measure.load._parse import parse, parse_duration
from seawall.measure.load._pattern import Pattern
from seawall.measure.load._patterns import Constant, Linear, Sine, Spike, Step
from seawall.measure.load._plans import Plan
from seawall.measure.load._progress import OnProgress, Progress
from seawall.measure.load._replay import Replay
from seawall.measure.load._result import PERCENTILES, LoadResult, Throughput, Verdict
from seawall.measure.load._sparkline import sparkline
from seawall.measure.load._stages import Stages
from seawall.measure.load._test import LoadTest
from seawall.measure.load._thresholds import Threshold, ThresholdOutcome

__all__ = [
    "BASELINE_FOLDER",
    "PERCENTILES",
    "Arrivals",
    "Baseline",
    "Baselines",
    "Comparison",
    "Constant",
    "Difference",
    "Linear",
    "LoadResult",
    "LoadTest",
    "OnProgress",
    "Pattern",
    "Plan",
    "Progress",
    "Replay",
    "SavedRun",
    "Sine",
    "Spike",
    "Stages",
    "Step",
    "Threshold",
    "ThresholdOutcome",
    "Throughput",
    "Verdict",
    "arrival_times",
    "compare",
    "parse",
    "parse_duration",
    "sparkline",
]
