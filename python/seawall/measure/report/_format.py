"""Numbers as people read them: three digits that matter, and a unit."""

from __future__ import annotations

import math

NOTHING = "\N{EN DASH}"
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def seconds(value: float) -> str:
    """A length of time.

    Example:
        >>> seconds(0.0000123), seconds(0.0123), seconds(12.3)
        ('12.3 µs', '12.3 ms', '12.3 s')
    """
    if not math.isfinite(value):
        return NOTHING
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if abs(value) >= 0.9995 * size:
            return f"{digits(value / size)} {unit}"
    return f"{digits(value * 1e6)} µs" if value else "0 s"


def digits(value: float) -> str:
    """Three digits that matter, more before the point where needed; no zeros at the end.

    Example:
        >>> digits(0.04567), digits(45.67), digits(4567.8), digits(45.0)
        ('0.0457', '45.7', '4,568', '45')
    """
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    places = max(0, min(12, 2 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate(value: float) -> str:
    """So many a second."""
    return f"{digits(value)}/s" if math.isfinite(value) else NOTHING


def share(value: float) -> str:
    """A share from 0 to 1 in percent; what is not all is never shown as 100 %, what is not nothing never as 0 %.

    Example:
        >>> share(0.99999), share(0.00001), share(0.123)
        ('>99.9 %', '<0.01 %', '12.3 %')
    """
    if not math.isfinite(value):
        return NOTHING
    if 0.999 < value < 1:
        return ">99.9 %"
    return "<0.01 %" if 0 < value < 0.0001 else f"{digits(value * 100)} %"


def size(value: float) -> str:
    """So many bytes."""
    step = 0
    while value >= 1024 and step < len(_SIZES) - 1:
        value, step = value / 1024, step + 1
    return f"{digits(value)} {_SIZES[step]}"


def moment(value: float, *, span: float = 0.0) -> str:
    """A moment of a run: in seconds, or as minutes and seconds where the run takes more than two minutes.

    Example:
        >>> moment(12.5), moment(72.0, span=600), moment(4000, span=7200)
        ('12.5 s', '1:12', '1:06:40')
    """
    if max(span, value) < 120:
        return f"{digits(value)} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours or span >= 3600 else f"{minutes}:{rest:02}"


def level(percentile: float) -> str:
    """The name of a percentile."""
    return f"P{percentile:.10g}"
