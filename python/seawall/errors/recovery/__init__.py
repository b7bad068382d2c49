"""Recovery: what to do once a call has failed, as objects that can be chained with `|`."""

from seawall.errors.recovery._strategies import ByAdvice, Escalate, Fallback, Ignore, Restart, Retry, RetryOnce
from seawall.errors.recovery._strategy import Chain, Recovered, Recovery

__all__ = [
    "ByAdvice",
    "Chain",
    "Escalate",
    "Fallback",
    "Ignore",
    "Recovered",
    "Recovery",
    "Restart",
    "Retry",
    "RetryOnce",
]
