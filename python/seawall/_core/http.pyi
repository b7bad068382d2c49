"""
An HTTP/1.1 load engine: open and closed model, on threads of its own. Linux only.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray
from typing_extensions import CapsuleType

class Request:
    """A request as bytes, rendered once and sent many times."""

    def __init__(
        self,
        *,
        host: str,
        port: int = 80,
        method: str = "GET",
        target: str = "/",
        headers: Sequence[tuple[str, str]] = [],
        body: bytes | None = None,
        agent: str = "seawall",
    ) -> None:
        """
        Raises ConfigError where that cannot be a request; Host and Content-Length are added.
        """

    @property
    def rendered(self) -> bytes:
        """What is sent."""

    @property
    def idempotent(self) -> bool:
        """Whether it may be sent twice."""

class Checks:
    """What a response must be to count as good."""

    def __init__(
        self, *, accepted: Sequence[int] | None = None, contains: bytes = ..., least: int = 0, most: int | None = None
    ) -> None:
        """
        Statuses (100 to 399 where not given), a part of the body, and its least and most bytes.
        """

class Counts:
    """The counts of a moment; exact once the engine has ended."""

    @property
    def started(self) -> int: ...
    @property
    def ended(self) -> int: ...
    @property
    def under_way(self) -> int:
        """Requests without an end yet; after a stop, those that were cut."""

    @property
    def opened(self) -> int:
        """Connections that were established."""

    @property
    def open(self) -> int:
        """Connections open now."""

    @property
    def resent(self) -> int:
        """Requests sent once more, as their kept connection turned out closed."""

    @property
    def dirty(self) -> int:
        """Connections given up because of bytes that nobody had asked for."""

    @property
    def bytes_in(self) -> int: ...
    @property
    def bytes_out(self) -> int: ...

class Report:
    """How one thread fared."""

    @property
    def cpu_seconds(self) -> float: ...
    @property
    def wall_seconds(self) -> float: ...
    @property
    def delayed_seconds(self) -> float:
        """
        Seconds it could have run but waited for a processor; 0 where the system does not say.
        """

    @property
    def naps(self) -> int:
        """How often it slept because there was nothing to do."""

class Engine:
    """
    Threads that send requests when they are due, whatever the target answers.

    Guarantees: nothing starts before it is due or after `until`; every time fed starts at most once; every request that
    started ends exactly once, unless the run is stopped or hopeless. Thread safety: all methods from any thread; none holds
    the GIL while it waits. Units: seconds since zero.
    """

    def __init__(
        self,
        *,
        addresses: Sequence[tuple[str, int]],
        requests: list[Request],
        tally: CapsuleType,
        checks: Checks | None = None,
        threads: int = 1,
        max_connections: int = 512,
        timeout: float = 10.0,
        until: float | None = None,
        closed: bool = False,
        think: float = 0.0,
        give_up_after: int = 20,
        first: int = 0,
        stride: int = 1,
    ) -> None:
        """
        Args:
            addresses: Numeric addresses and ports of the target, tried in this order; none: every request ends as `dns`.
            requests: Request k of the run sends number (first + k * stride) % len(requests).
            tally: The capsule of a seawall._core.tally.Tally, where ends and times are counted.
            checks: What a response must be; None: a status from 100 to 399.
            threads: 1 to 64, at most one a connection.
            max_connections: 1 to 1,000,000, shared out evenly over the threads.
            timeout: Seconds from a request's own start to the last byte of its response.
            until: Nothing starts any more after this; None: no such time.
            closed: Each connection sends its next request when the former ended and `think` seconds have passed.
            give_up_after: Requests that ended without any having reached the target; 0: never.
        """

    def feed(
        self, times: Annotated[NDArray[numpy.float64], dict(shape=(None,), order="C", device="cpu", writable=False)]
    ) -> None:
        """
        Append due times, ascending over the run, or none of them. Shapes: (n,) float64.
        """

    def finish_feed(self) -> None:
        """Nothing more will be due."""

    def start(self, zero: int | None = None) -> None:
        """
        Start the threads, once; `zero` is a moment of CLOCK_MONOTONIC in ns, by default now.
        """

    def join(self, timeout: float) -> bool:
        """Wait; return whether all threads have ended. Signals are handled."""

    def stop(self) -> None:
        """Cut what is under way and end; returns at once."""

    def counts(self) -> Counts:
        """What happened so far."""

    def reports(self) -> list[Report]:
        """How each thread fared, once all have ended."""

    @property
    def threads(self) -> int: ...
    @property
    def left(self) -> int:
        """Times fed that have not started."""

    @property
    def hopeless(self) -> bool:
        """Whether it ended as nothing reached the target."""

    @property
    def first_error(self) -> tuple[int, int] | None:
        """
        (code, errno) of the first request that ended without a whole response; errno 0 where there is none.
        """
