"""What a tracer is made with."""

from __future__ import annotations

from datetime import timedelta

from seawall.patterns import Options, option


class TracerOptions(Options):
    """What a Tracer samples, keeps and bounds."""

    sample: float = option(default=1.0, least=0, most=1, help="share of traces that are sampled, by trace id")
    follow_parent: bool = option(default=True, help="what the caller has decided is done here, too")
    keep_errors: bool = option(default=True, help="traces in which a span failed are kept, sampled or not")
    slower_than: float | timedelta | None = option(
        default=None, unit="s", least=0, most=86_400, help="traces that took longer here are kept, sampled or not"
    )
    max_spans: int = option(default=1_000, least=1, most=100_000, help="spans of a trace that are held until it ends")
    max_attributes: int = option(default=64, least=1, most=1_000, help="attributes of a span or an event")
    max_events: int = option(default=64, least=1, most=1_000, help="events of a span, and links")
    max_value: int = option(default=1_024, least=16, most=65_536, unit="characters", help="length of an attribute")
