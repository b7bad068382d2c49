"""RED, USE and the four golden signals, read from a window of a recording.

Source: Wilkie, The RED Method; Gregg, The USE Method; Site Reliability Engineering (Google, 2016), chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from seawall.observe._distribution import Distribution
from seawall.observe._recording import Window
from seawall.observe.signals._service import Busy, Resource, Service, Share, What


@dataclass(frozen=True, slots=True)
class Latency:
    """How long requests took. None where none ended."""

    count: int
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None

    @classmethod
    def of(cls, came: Distribution | None) -> Latency:
        """Of the values that came."""
        if came is None or not came.count:
            return cls(0)
        return cls(came.count, came.mean, *(came.quantile(q) for q in (0.5, 0.9, 0.95, 0.99)))


@dataclass(frozen=True, slots=True)
class Red:
    """What users of a service feel: rate, errors, duration.

    Units: requests and errors a second; durations in the unit of their histogram, seconds by convention.
    None is what nothing is known of; no errors where there were requests are 0.

    Attributes:
        seconds: What the window really covers.
        rate: Requests a second.
        errors: Failures a second.
        error_ratio: The share of requests that failed, 0 to 1.
        duration: How long they took.
    """

    name: str
    seconds: float
    rate: float | None
    errors: float | None
    error_ratio: float | None
    duration: Latency

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Golden:
    """The four golden signals of a service: latency, traffic, errors, saturation.

    Attributes:
        latency: Of requests; of those that went well where failures are measured apart.
        failed_latency: Of failed requests. A slow error is worse than a fast one.
        traffic: Requests a second.
        errors: The share of requests that failed, 0 to 1.
        saturation: How full the service is at the end, 0 to 1.
        peak_saturation: How full it was at its fullest.
    """

    name: str
    seconds: float
    latency: Latency
    failed_latency: Latency | None
    traffic: float | None
    errors: float | None
    saturation: float | None
    peak_saturation: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Use:
    """How a resource fares: utilisation, saturation, errors.

    Attributes:
        utilisation: The share of it in use, 0 to 1: on average over the window.
        peak_utilisation: At its busiest snapshot.
        saturation: The work that waited, on average.
        peak_saturation: At the longest.
        errors: How many, over the window.
    """

    name: str
    seconds: float
    utilisation: float | None
    peak_utilisation: float | None
    saturation: float | None
    peak_saturation: float | None
    errors: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


def red(window: Window, service: Service) -> Red:
    """Rate, errors and duration of a service.

    Example:
        >>> from seawall.observe import Family, Recording, Sample, Snapshot
        >>> recording = Recording()
        >>> for at in (0.0, 60.0):
        ...     ok, bad = Sample((("code", "200"),), at * 9), Sample((("code", "500"),), at)
        ...     recording.append(Snapshot(at, (Family("http_requests", "counter", (ok, bad)),)))
        >>> from seawall.observe import Selector
        >>> shop = Service(name="shop", requests="http_requests", errors=Selector("http_requests", code="500"))
        >>> reading = red(recording.window(60), shop)
        >>> reading.rate, reading.errors, reading.error_ratio
        (10.0, 1.0, 0.1)
    """
    rate = window.rate(service.requests)
    return Red(
        service.name,
        window.seconds,
        rate,
        _errors(window, service, rate),
        _error_ratio(window, service),
        Latency.of(None if service.duration is None else window.distribution(service.duration)),
    )


def golden(window: Window, service: Service) -> Golden:
    """Latency, traffic, errors and saturation of a service."""
    failed = service.failed_duration
    full = _known(window, service.saturation)
    return Golden(
        service.name,
        window.seconds,
        Latency.of(None if service.duration is None else window.distribution(service.duration)),
        None if failed is None else Latency.of(window.distribution(failed)),
        window.rate(service.requests),
        _error_ratio(window, service),
        full[-1] if full else None,
        max(full, default=None),
    )


def use(window: Window, resource: Resource) -> Use:
    """Utilisation, saturation and errors of a resource."""
    busy = _utilisations(window, resource.utilisation)
    waiting = _known(window, resource.saturation)
    return Use(
        resource.name,
        window.seconds,
        _mean(busy),
        max(busy, default=None),
        _mean(waiting),
        max(waiting, default=None),
        None if resource.errors is None else window.increase(resource.errors),
    )


def _errors(window: Window, service: Service, rate: float | None) -> float | None:
    if service.errors is None or rate is None:
        return None
    return window.rate(service.errors) or 0.0


def _error_ratio(window: Window, service: Service) -> float | None:
    return None if service.errors is None else window.ratio(service.errors, service.requests)


def _known(window: Window, what: What | None) -> list[float]:
    """The fullest series at each snapshot that has any, the one before the window apart."""
    if what is None:
        return []
    return [value for _, value in _inside(window).series(what, "max") if value is not None]


def _inside(window: Window) -> Window:
    return Window(window.snapshots[1:]) if len(window.snapshots) > 1 else window


def _utilisations(window: Window, how: What | Share | Busy | None) -> list[float]:
    if isinstance(how, Busy):
        rates = (step.rate(how.seconds) for step in window.steps())
        return [rate / how.workers for rate in rates if rate is not None]
    if isinstance(how, Share):
        used, there = _inside(window).series(how.used), _inside(window).series(how.capacity)
        return [a / b for (_, a), (_, b) in zip(used, there, strict=True) if a is not None and b]
    return _known(window, how)


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None
