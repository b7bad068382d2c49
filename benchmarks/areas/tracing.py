"""A span around a call: recorded and kept, or not sampled. The call itself is taken off."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks._case import OURS, Case, Missing, Probe, Target, WrongAnswer
from benchmarks.versus import rivals
from benchmarks.versus._guards import callee, is_answer
from seawall.observe.tracing import Tracer


def _recording(share: float, *, tail: bool = False) -> Tracer:
    return Tracer("bench", sample=share, keep_errors=tail)


def _in_block(tracer: Tracer) -> Callable[[], object]:
    def spanned() -> object:
        with tracer.span("work"):
            return callee()

    return spanned


def _below(tracer: Tracer) -> Callable[[], object]:
    outer = tracer.span("outer")

    def spanned() -> object:
        with tracer.span("work", parent=outer):
            return callee()

    return spanned


def _with_attributes(tracer: Tracer) -> Callable[[], object]:
    attributes = {"order.id": 7, "user.id": "u-17"}

    def spanned() -> object:
        with tracer.span("work", attributes, kind="client") as span:
            span.set("paid", True)
            return callee()

    return spanned


def _decorated(tracer: Tracer) -> Callable[[], object]:
    return tracer.traced("work")(callee)


def _spans(make: Callable[[Tracer], Callable[[], object]], share: float, *, tail: bool = False) -> Callable[[], Probe]:
    def probe() -> Probe:
        tracer = _recording(share, tail=tail)
        spanned = make(tracer)
        if spanned() != callee() or bool(tracer.store.traces()) != (share == 1.0 and make is not _below):
            raise WrongAnswer(f"with a share of {share:g}, {tracer.store!r} holds the wrong traces")
        counted = "recorded" if share or tail else "unrecorded"
        return Probe(
            "spanned()",
            {"spanned": spanned, "callee": callee},
            is_answer,
            lambda: int(getattr(tracer.stats(), counted)),
            bare="callee()",
        )

    return probe


def cases() -> list[Case | Missing]:
    """All cases of the area."""
    recorded, unsampled = "a span that is recorded", "a span that is not sampled"
    return [
        Case(recorded, OURS, "span in a block, a trace of its own", _spans(_in_block, 1.0), Target(1.5, "us")),
        Case(recorded, OURS, "span in a block, below another", _spans(_below, 1.0), Target(1.5, "us")),
        Case(recorded, OURS, "traced function", _spans(_decorated, 1.0), Target(1.5, "us")),
        Case(recorded, OURS, "span with a kind and three attributes", _spans(_with_attributes, 1.0), Target(1.5, "us")),
        Case(recorded, OURS, "span of a trace that is dropped at its end", _spans(_in_block, 0.0, tail=True)),
        Case(unsampled, OURS, "span in a block, a trace of its own", _spans(_in_block, 0.0), Target(150, "ns")),
        Case(unsampled, OURS, "span in a block, below another", _spans(_below, 0.0), Target(150, "ns")),
        Case(unsampled, OURS, "traced function", _spans(_decorated, 0.0), Target(150, "ns")),
        *rivals({"recorded_span": recorded, "unsampled_span": unsampled}),
    ]
