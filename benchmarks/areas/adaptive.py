"""A call through an adaptive limit, beside one through a bulkhead of fixed size."""

from __future__ import annotations

from functools import partial

from benchmarks._case import OURS, Case, Missing, Target
from benchmarks.areas import _policies as policies
from benchmarks.areas._policies import awaited, plain


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    call, wait = "a place is free", "a place is free, awaited"
    return [
        Case(call, OURS, "Bulkhead", plain(policies.bulkhead)),
        Case(call, OURS, "AdaptiveLimit", plain(policies.adaptive_limit), Target(3)),
        Case(call, OURS, "AdaptiveLimit, windows of 50 calls", plain(partial(policies.adaptive_limit, samples=50))),
        Case(wait, OURS, "Bulkhead", awaited(policies.bulkhead)),
        Case(wait, OURS, "AdaptiveLimit", awaited(policies.adaptive_limit), Target(1.6), of=f"{wait}: {OURS} Bulkhead"),
    ]
