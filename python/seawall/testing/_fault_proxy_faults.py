"""What can be wrong with a network, as small frozen objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any, Literal

from seawall.patterns import Options, option
from seawall.testing import _fault_proxy_effects as effects
from seawall.testing._fault_proxy_course import Effect, Outcome

Direction = Literal["to_server", "to_client", "both"]
Distribution = Literal["uniform", "normal", "exponential"]
Seconds = float | timedelta
_DAY = 86_400.0
_MOST_BYTES = 1 << 40


class Fault(Options):
    """Base of all faults. They are data: the same object can be added to many proxies, compared, printed and kept."""

    direction: Direction = option(default="both", help="the way it is on")
    connections: float = option(default=1.0, least=0, most=1, help="share of connections that have it, by the seed")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A dataclass makes a repr of its own for each class.
        cls.__repr__ = Fault.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return _shown(self)

    def concerns(self, direction: str) -> bool:
        """Whether it is on that way."""
        return self.direction in ("both", direction)

    def effect(self, began: float, chance: Random) -> Effect:
        """What it does to one direction of one connection."""
        del chance
        return Effect(began)

    def _keep(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.__post_init__()


class Latency(Fault):
    """Bytes arrive late, in order.

    The line is no narrower for it while `buffer_bytes` of the proxy hold what is on its way.

    Args:
        seconds: By how much, 0 to 86,400 s.
        jitter: Chance in it, 0 to 86,400 s: `seconds` plus or minus up to it ("uniform"), its standard deviation
            ("normal"), or the mean of what is added ("exponential"). Never below 0 altogether.
        distribution: "uniform", "normal" or "exponential".
        chunks: Share of chunks (what one read brings) that are late, 0 to 1. Those behind a late one wait.
        direction: "to_server", "to_client" or "both".
        connections: Share of connections that have it, 0 to 1.

    Example:
        >>> Latency(0.2, jitter=0.05)
        Latency(0.2, jitter=0.05)
        >>> Latency(-1)
        Traceback (most recent call last):
        seawall.errors.ConfigError: seconds must be 0 to 86400 s, got -1; delay of what is sent
    """

    seconds: Seconds = option(unit="s", least=0, most=_DAY, help="delay of what is sent")
    jitter: Seconds = option(default=0.0, unit="s", least=0, most=_DAY, help="chance in the delay")
    distribution: Distribution = option(default="uniform", help="how the jitter is spread")
    chunks: float = option(default=1.0, least=0, most=1, help="share of chunks that are late, by the seed")

    def __init__(
        self,
        seconds: Seconds,
        *,
        jitter: Seconds = 0.0,
        distribution: Distribution = "uniform",
        chunks: float = 1.0,
        direction: Direction = "both",
        connections: float = 1.0,
    ) -> None:
        self._keep(
            seconds=seconds,
            jitter=jitter,
            distribution=distribution,
            chunks=chunks,
            direction=direction,
            connections=connections,
        )

    def effect(self, began: float, chance: Random) -> Effect:
        """Late chunks."""
        seconds, jitter = _seconds(self.seconds), _seconds(self.jitter)
        return effects.Late(began, chance, seconds, jitter, distribution=self.distribution, chunks=self.chunks)


class Bandwidth(Fault):
    """So many bytes a second, for each connection and direction; a sender is slowed down by backpressure.

    Args:
        bytes_per_second: 1 to 10**12. `n` bytes take `n / bytes_per_second` seconds or longer.
        direction: "to_server", "to_client" or "both".
        connections: Share of connections that have it, 0 to 1.
    """

    bytes_per_second: float = option(unit="B/s", least=1, most=10**12, help="what the line carries")

    def __init__(self, bytes_per_second: float, *, direction: Direction = "both", connections: float = 1.0) -> None:
        self._keep(bytes_per_second=bytes_per_second, direction=direction, connections=connections)

    def effect(self, began: float, chance: Random) -> Effect:
        """A narrow line."""
        del chance
        return effects.Narrow(began, self.bytes_per_second)


class Reset(Fault):
    """The connection is reset for both sides (RST; on unix sockets it is closed at once).

    Args:
        after_bytes: Once so many bytes went that way; what the receiver had no room for is lost with it.
        after: So many seconds after the connection began, or the fault was added. At once when neither is given.
        direction: "to_server", "to_client" or "both", where each way is counted by itself.
        connections: Share of connections that have it, 0 to 1.
    """

    after_bytes: int | None = option(default=None, least=0, most=_MOST_BYTES, help="bytes that pass before")
    after: Seconds | None = option(default=None, unit="s", least=0, most=_DAY, help="time that passes before")

    def __init__(
        self,
        *,
        after_bytes: int | None = None,
        after: Seconds | None = None,
        direction: Direction = "both",
        connections: float = 1.0,
    ) -> None:
        self._keep(after_bytes=after_bytes, after=after, direction=direction, connections=connections)

    def effect(self, began: float, chance: Random) -> Effect:
        """A reset."""
        del chance
        at_once = self.after_bytes is None and self.after is None
        after = 0.0 if at_once else None if self.after is None else _seconds(self.after)
        return effects.Ended(began, Outcome.CUT, self.after_bytes, after)


class BlackHole(Fault):
    """Everything is read and nothing delivered, not even the end of a stream, until the fault is removed.

    A connection that lost bytes is reset when it is removed, as no network leaves a hole in a stream. `Pause` loses
    nothing.

    Args:
        direction: "to_server", "to_client" or "both".
        connections: Share of connections that have it, 0 to 1.
    """

    def effect(self, began: float, chance: Random) -> Effect:
        """Bytes vanish."""
        del chance
        return effects.Swallowed(began)


class Pause(Fault):
    """Nothing moves until the fault is removed, and nothing is lost: senders wait once the buffers are full.

    Args:
        direction: "to_server", "to_client" or "both".
        connections: Share of connections that have it, 0 to 1.
    """

    def effect(self, began: float, chance: Random) -> Effect:
        """Bytes wait."""
        del chance
        return effects.Held(began)


class Cut(Fault):
    """Connections of this moment are reset; new ones are not. The direction does not matter.

    Args:
        direction: Not used.
        connections: Share of connections that are reset, 0 to 1.
    """


class Refuse(Fault):
    """New connections are refused, as nobody listens; those there are go on.

    Args:
        direction: Must be "both".
        connections: Must be 1: nobody listens, or somebody does.
    """

    def check(self) -> Iterable[str]:
        """A listener has no directions and no shares."""
        if self.direction != "both" or self.connections != 1.0:
            yield f"Refuse is for all connections, got {self!r}; Reset(connections=0.1) ends a share of them"


class SlowClose(Fault):
    """The end of a stream arrives late, everything before it in time.

    Args:
        seconds: By how much, 0 to 86,400 s.
        direction: "to_server", "to_client" or "both".
        connections: Share of connections that have it, 0 to 1.
    """

    seconds: Seconds = option(unit="s", least=0, most=_DAY, help="delay of the end of a stream")

    def __init__(self, seconds: Seconds, *, direction: Direction = "both", connections: float = 1.0) -> None:
        self._keep(seconds=seconds, direction=direction, connections=connections)

    def effect(self, began: float, chance: Random) -> Effect:
        """A late end."""
        del chance
        return effects.Lingering(began, _seconds(self.seconds))


class HalfClose(Fault):
    """The stream ends (FIN) after so many bytes, while the other direction goes on; what comes later is dropped.

    Args:
        after_bytes: Bytes that pass before.
        direction: "to_server", "to_client" (the default) or "both".
        connections: Share of connections that have it, 0 to 1.
    """

    after_bytes: int = option(default=0, least=0, most=_MOST_BYTES, help="bytes that pass before")
    direction: Direction = option(default="to_client", help="the way it is on")

    def __init__(self, after_bytes: int = 0, *, direction: Direction = "to_client", connections: float = 1.0) -> None:
        self._keep(after_bytes=after_bytes, direction=direction, connections=connections)

    def effect(self, began: float, chance: Random) -> Effect:
        """One end."""
        del chance
        return effects.Ended(began, Outcome.FINISH, self.after_bytes, None)


class Truncate(Fault):
    """The connection is closed in good order (FIN both ways) after so many bytes; what comes later is dropped.

    Args:
        after_bytes: Bytes that pass before.
        direction: The way they are counted: "to_server", "to_client" (the default) or "both", each by itself.
        connections: Share of connections that have it, 0 to 1.
    """

    after_bytes: int = option(default=0, least=0, most=_MOST_BYTES, help="bytes that pass before")
    direction: Direction = option(default="to_client", help="the way it is on")

    def __init__(self, after_bytes: int = 0, *, direction: Direction = "to_client", connections: float = 1.0) -> None:
        self._keep(after_bytes=after_bytes, direction=direction, connections=connections)

    def effect(self, began: float, chance: Random) -> Effect:
        """Both ends."""
        del chance
        return effects.Ended(began, Outcome.CLOSE, self.after_bytes, None)


class Corrupt(Fault):
    """One bit of some bytes is another, at places that depend on the seed and not on how the stream is cut up.

    Args:
        rate: Share of bytes, above 0 to 1.
        direction: "to_server", "to_client" or "both".
        connections: Share of connections that have it, 0 to 1.
    """

    rate: float = option(above=0, most=1, help="share of bytes that are changed, by the seed")

    def __init__(self, rate: float, *, direction: Direction = "both", connections: float = 1.0) -> None:
        self._keep(rate=rate, direction=direction, connections=connections)

    def effect(self, began: float, chance: Random) -> Effect:
        """Other bytes."""
        return effects.Flipped(began, chance, self.rate)


class Stall(Fault):
    """Nothing moves for a while, once on each connection and way.

    Args:
        seconds: For how long, 0 to 86,400 s.
        after_bytes: Bytes that pass before; it begins with the byte after them.
        direction: "to_server", "to_client" or "both", where each way stalls by itself.
        connections: Share of connections that have it, 0 to 1.
    """

    seconds: Seconds = option(unit="s", least=0, most=_DAY, help="time for which nothing moves")
    after_bytes: int = option(default=0, least=0, most=_MOST_BYTES, help="bytes that pass before")

    def __init__(
        self, seconds: Seconds, *, after_bytes: int = 0, direction: Direction = "both", connections: float = 1.0
    ) -> None:
        self._keep(seconds=seconds, after_bytes=after_bytes, direction=direction, connections=connections)

    def effect(self, began: float, chance: Random) -> Effect:
        """A pause that ends by itself."""
        del chance
        return effects.Stalled(began, _seconds(self.seconds), self.after_bytes)


KINDS: dict[str, type[Fault]] = {
    kind.__name__: kind
    for kind in (
        Bandwidth, BlackHole, Corrupt, Cut, HalfClose, Latency, Pause, Refuse, Reset, SlowClose, Stall, Truncate
    )
}  # fmt: skip


def _seconds(value: Seconds) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _shown(fault: Fault) -> str:
    """As it would be written, without what is the default."""
    specs = fault.specs()
    names = sorted(specs, key=("direction", "connections").__contains__)
    words = []
    for name in names:
        value, default = getattr(fault, name), specs[name].default
        if value != default:
            words.append(repr(value) if default is dataclasses.MISSING else f"{name}={value!r}")
    return f"{type(fault).__name__}({', '.join(words)})"
