"""What the contract suite needs to know of an engine, and how it is started, killed and started again."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import Any, ClassVar

from seawall.clock import Clock, ManualClock, SystemClock
from seawall.engines import Engine, open_engine


class Backend(abc.ABC):
    """One engine under test, made once for each test process. A module of this package holds one or more subclasses.

    Attributes:
        name: In the names of tests and in the matrix.
        ports: Which of key_value, journal and meter there are.
        manual: Whether leases and limits go by the clock that engines are opened with.
        short: The shortest time to live that a lease may be tested with, in seconds.
        title: For the matrix.
        sample_url: What the matrix opens, without connecting, to read what is promised.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sample_url: ClassVar[str]
    ports: ClassVar[tuple[str, ...]] = ("key_value", "journal", "meter")
    manual: ClassVar[bool] = False
    short: ClassVar[float] = 1.0

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock: Clock = ManualClock(1_000.0, autojump=True) if self.manual else SystemClock()

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """Where it is."""

    def start(self) -> None:  # noqa: B027 -- nothing to start where there is no server
        """Start its server and wait until it answers."""

    def stop(self) -> None:  # noqa: B027
        """Stop it, by its process id."""

    def kill(self) -> None:
        """Kill its server with SIGKILL; only where there is one (`has_server`)."""
        raise NotImplementedError

    @property
    def target(self) -> str | tuple[str, int]:
        """Where its server listens, for a proxy before it; only where there is one (`has_server`)."""
        raise NotImplementedError

    def url_at(self, host: str, port: int) -> str:
        """The URL of its server at another address: that of the proxy."""
        raise NotImplementedError

    def pids(self) -> list[int]:
        """All processes of its server, in the order in which they are to be stopped."""
        raise NotImplementedError

    def revive(self) -> None:  # noqa: B027
        """Start its server again if it has died of itself, as whoever runs it would."""

    has_server: ClassVar[bool] = False
    enlists_at_once: ClassVar[bool] = True
    """Whether `enlist` is one atomic step."""
    outlives_clients: ClassVar[bool] = True
    """Whether its server goes on when a client is killed in a call; tests/faults restarts the others."""
    lasting: ClassVar[bool] = False
    """Whether another engine on the same URL finds what this one left."""
    history_option: ClassVar[str | None] = None
    """The option that says how many changes are kept for watches; None when the engine has none."""

    def open(self, **options: Any) -> Engine:
        """An engine on it."""
        return open_engine(self.url, clock=self.clock, **options)

    def url_for_processes(self, directory: Path) -> str:
        """A URL that several processes open, with the machine's clock; `directory` is the test's own."""
        del directory
        return self.url

    def pass_time(self, seconds: float) -> None:
        """Let time pass for leases and limits."""
        if isinstance(self.clock, ManualClock):
            self.clock.advance(seconds)
        else:
            self.clock.sleep(seconds)
