"""Load tests in the open model: requests start when the pattern says, whether or not earlier ones were answered."""

from seawall.measure.load._closed import Closed
from seawall.measure.load._progress import OnProgress, Progress, Recent
from seawall.measure.load._test import LoadTest
from seawall.measure.load._thresholds import Threshold, ThresholdOutcome
from seawall.measure.load.capacity._capacity import (
    DEFAULT_THRESHOLDS,
    Capacity,
    CapacitySearch,
    OnStep,
    OnStepProgress,
    find_capacity,
    find_capacity_async,
)
from seawall.measure.load.capacity._search import Search
from seawall.measure.load.capacity._step import CapacityStep
from seawall.measure.load.comparison._baselines import FOLDER as BASELINE_FOLDER
from seawall.measure.load.comparison._baselines import Baseline, Baselines, SavedRun
from seawall.measure.load.comparison._compare import compare
from seawall.measure.load.comparison._comparison import Comparison, Difference
from seawall.measure.load.pattern._arrivals import Arrivals, arrival_times
from seawall.measure.load.pattern._parse import parse, parse_duration
from seawall.measure.load.pattern._pattern import Pattern
from seawall.measure.load.pattern._patterns import Constant, Linear, Sine, Spike, Step
from seawall.measure.load.pattern._plans import Plan
from seawall.measure.load.pattern._replay import Replay
from seawall.measure.load.pattern._sparkline import sparkline
from seawall.measure.load.pattern._stages import Stages
from seawall.measure.load.result._json import PERCENTILES
from seawall.measure.load.result._outcomes import Answer
from seawall.measure.load.result._parts import Generator, Note, Part
from seawall.measure.load.result._result import LoadResult, Throughput, Verdict
from seawall.measure.load.target import Feed, GrpcCall, Request, Scenario

__all__ = [
    "BASELINE_FOLDER",
    "DEFAULT_THRESHOLDS",
    "PERCENTILES",
    "Answer",
    "Arrivals",
    "Baseline",
    "Baselines",
    "Capacity",
    "CapacitySearch",
    "CapacityStep",
    "Closed",
    "Comparison",
    "Constant",
    "Difference",
    "Feed",
    "Generator",
    "GrpcCall",
    "Linear",
    "LoadResult",
    "LoadTest",
    "Note",
    "OnProgress",
    "OnStep",
    "OnStepProgress",
    "Part",
    "Pattern",
    "Plan",
    "Progress",
    "Recent",
    "Replay",
    "Request",
    "SavedRun",
    "Scenario",
    "Search",
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
    "find_capacity",
    "find_capacity_async",
    "parse",
    "parse_duration",
    "sparkline",
]
