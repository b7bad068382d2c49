"""Panels of what seawall tells by itself: guards and resources."""

from __future__ import annotations

from dataclasses import replace

from seawall.observe._matching import Matching
from seawall.observe._snapshot import Selector
from seawall.observe.panels._panel import Panel, Threshold
from seawall.observe.panels._query import Query

_NAME = ("name",)
_FULL = (Threshold(0.8), Threshold(0.95, "critical"))


def guard_panels() -> tuple[Panel, ...]:
    """What guards refuse and how they fare, from the metrics that `Metrics.instrument` publishes of them."""
    panels = (
        Panel("Refused", "lines", (
            _rate("limit_refused", "limit {name}"),
            _rate("keyed_limit_refused", "limit by key {name}"),
            _rate("breaker_refused", "breaker {name}"),
            _rate("bulkhead_refused", "bulkhead {name}"),
            _rate("retry_budget_refused", "retry budget {name}"),
        ), "per_second", help="Calls that guards turned away."),
        Panel("Breakers not closed", "lines", (
            Query(Selector("seawall_breaker_state", state=Matching("closed", negate=True)), "value",
                  by=("name", "state"), across="max", legend="{name} {state}"),
        ), "count", (Threshold(1.0),), "1 while a breaker is in that state."),
        Panel("Failures in breakers' windows", "lines", (
            Query("seawall_breaker_failure_ratio", "value", by=_NAME, across="max", legend="{name}"),
        ), "ratio", help="The share of failures that a breaker sees; it opens at its failure_ratio."),
        Panel("Calls through breakers", "stacked", (
            Query("seawall_breaker_successes", "rate", legend="succeeded"),
            Query("seawall_breaker_failures", "rate", legend="failed"),
        ), "per_second"),
        Panel("Bulkheads", "lines", (
            _level("bulkhead_in_flight", "{name} in flight"),
            _level("bulkhead_max_concurrent", "{name} room"),
        ), "count", help="Calls in bulkheads, and how many there is room for."),
        Panel("Waiting", "lines", (
            _level("limit_waiting", "limit {name}"),
            _level("keyed_limit_waiting", "limit by key {name}"),
            _level("bulkhead_queued", "bulkhead {name}"),
        ), "count", help="Calls that wait for a guard."),
        Panel("Retries", "lines", (
            Query("seawall_retry_retries", "ratio", whole="seawall_retry_calls", by=_NAME, legend="{name} retried"),
            Query("seawall_retry_gave_up", "ratio", whole="seawall_retry_calls", by=_NAME, legend="{name} gave up"),
        ), "ratio", (Threshold(0.1), Threshold(0.5, "critical")), "To each call that came in."),
        Panel("Fallbacks and timeouts", "lines", (
            _rate("fallback_fell_back", "{name} fell back"),
            _rate("fallback_exhausted", "{name} had no fallback left"),
            _rate("timeout_timed_out", "{name} timed out"),
        ), "per_second"),
    )  # fmt: skip
    return tuple(replace(panel, row="Guards") for panel in panels)


def resource_panels() -> tuple[Panel, ...]:
    """How the process, its container and its machine fare, from the metrics of `seawall.monitor.resources`."""
    panels = (
        Panel("Processor", "lines", (
            _most("process_cpu_ratio", "this process"),
            _most("container_throttled_ratio", "periods throttled"),
        ), "ratio", _FULL, "Of the processors it can use."),
        Panel("Memory", "lines", (_most("memory_ratio", "used"),), "ratio", _FULL, "Of the memory it can use."),
        Panel("Memory in bytes", "lines", (
            Query("seawall_process_resident_memory_bytes", "value", legend="this process"),
            _most("usable_memory_bytes", "usable"),
        ), "bytes"),
        Panel("Event loops", "lines", (
            Query("seawall_loop_lag_seconds", "value", by=("loop",), across="max", legend="{loop}"),
        ), "seconds", (Threshold(0.1), Threshold(1.0, "critical")), "How late they ran at worst."),
        Panel("Open files", "lines", (_most("process_open_fds_ratio", "open"),), "ratio", _FULL, "Of those allowed."),
        Panel("Garbage collection", "lines", (
            Query("seawall_gc_pause_seconds", "rate", legend="paused"),
        ), "ratio", (Threshold(0.05), Threshold(0.2, "critical")), "The share of time that it took."),
        Panel("Stalled", "lines", (
            Query(Selector("seawall_pressure_seconds", tasks="some"), "rate", by=("of", "resource"),
                  legend="{of} {resource}"),
        ), "ratio", _FULL[:1], "The share of time in which some task stood still for want of it."),
        Panel("Network", "lines", (
            Query("seawall_machine_received_bytes", "rate", legend="received"),
            Query("seawall_machine_sent_bytes", "rate", legend="sent"),
        ), "bytes", help="Bytes a second."),
        Panel("Disks", "lines", (
            Query("seawall_disk_free_bytes", "value", by=("path",), across="min", legend="free on {path}"),
        ), "bytes"),
        Panel("Threads", "lines", (Query("seawall_process_threads", "value", legend="threads"),), "count"),
    )  # fmt: skip
    return tuple(replace(panel, row="Resources", width=4) for panel in panels)


def _rate(name: str, legend: str) -> Query:
    return Query(f"seawall_{name}", "rate", by=_NAME, legend=legend)


def _level(name: str, legend: str) -> Query:
    return Query(f"seawall_{name}", "value", by=_NAME, legend=legend)


def _most(name: str, legend: str) -> Query:
    return Query(f"seawall_{name}", "value", across="max", legend=legend)
