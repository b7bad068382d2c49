"""One file an area: its own cases, with their targets, beside those of other libraries."""

AREAS = ("limits", "keyed", "counter", "histogram", "threads", "imports")
