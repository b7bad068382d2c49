"""Retries: further attempts at a call that failed, and the budget that keeps them from making things worse."""

from seawall.guard.retry._backoff import Backoff, Constant, Decorrelated, Exponential, Fibonacci, Linear
from seawall.guard.retry._budget import BudgetStats, RetryBudget
from seawall.guard.retry._budget_options import BudgetOptions
from seawall.guard.retry._events import GaveUp, Recovered, Retrying
from seawall.guard.retry._jitter import EqualJitter, FullJitter, Jitter, NoJitter
from seawall.guard.retry._options import RetryOptions
from seawall.guard.retry._retry import Retry
from seawall.guard.retry._stats import RetryStats

__all__ = [
    "Backoff",
    "BudgetOptions",
    "BudgetStats",
    "Constant",
    "Decorrelated",
    "EqualJitter",
    "Exponential",
    "Fibonacci",
    "FullJitter",
    "GaveUp",
    "Jitter",
    "Linear",
    "NoJitter",
    "Recovered",
    "Retry",
    "RetryBudget",
    "RetryOptions",
    "RetryStats",
    "Retrying",
]
