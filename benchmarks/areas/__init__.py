"""One file an area: its own cases, with their targets, beside those of other libraries."""

AREAS = (
    "limits", "keyed", "limits_across", "counter", "histogram", "metrics", "clocks", "hashing", "locks", "transactions",
    "guard", "guard_async", "adaptive", "tracing", "profiler", "threads", "imports",
)  # fmt: skip
