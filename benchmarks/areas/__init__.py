"""One file an area: its own cases, with their targets, beside those of other libraries."""

AREAS = (
    "limits", "keyed", "limits_across", "counter", "histogram", "clocks", "hashing", "locks", "transactions", "guard",
    "guard_async", "adaptive", "threads", "imports",
)  # fmt: skip
