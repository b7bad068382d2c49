"""One file an area: its own cases, with their targets, beside those of other libraries."""

AREAS = ("limits", "keyed", "counter", "histogram", "hashing", "guard", "guard_async", "threads", "imports")
