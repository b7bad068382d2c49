"""Whether one load test is slower than another, or nobody can tell."""

from seawall.measure.load.comparison._student import t_quantile

__all__ = ["t_quantile"]
