"""What a load test calls: one target, or several with weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seawall._callables import is_coroutine_function
from seawall.errors import ConfigError
from seawall.measure.load import _checks
from seawall.measure.load.target._callable import check_arguments
from seawall.measure.load.target._feed import Feed, feed_of
from seawall.measure.load.target._grpc import GrpcCall
from seawall.measure.load.target._request import Request

Engine = Literal["auto", "native", "aiohttp", "httpx"]
Target = str | Request | GrpcCall | Callable[..., Any]
_MOST_SCENARIOS = 64


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of the things that a load test calls.

    A callable is called with the state of its place, where there is a `worker`, then with a row, where there is a
    `feed`. A coroutine function is awaited in the event loop, any other one is called in a thread. It succeeds when it
    returns; what it raises is the kind of its failure. It may return an `Answer` to say more.

    Args:
        name: Tells it from the others.
        target: A URL, a Request, a GrpcCall, or a callable.
        weight: Its share of the requests, against the sum of all weights.
        worker: Makes the state of a place, of which `max_concurrency` calls can be under way; called when a place is
            first needed, in the thread of the place for a plain target. It may be a coroutine function, where the
            target is. A context manager is entered, and left at the end of the run.
        feed: Rows that the calls take turns to use: a list, a CSV file, a function that makes an iterator, or a Feed.
        check: Called with what a callable returned; unless true, the call failed as `wrong answer`.
        max_concurrency: Calls under way at once; by default as the test says.
        engine: How requests over HTTP are sent: `native` (HTTP/1.1 in C++, plain http), `aiohttp` (also https), `httpx`
            (HTTP/2); `auto` takes native where it can, else aiohttp.

    Raises:
        ConfigError: An option can never work, or does not go with the target.
    """

    name: str
    target: Target
    weight: float = 1.0
    worker: Callable[[], Any] | None = None
    feed: Feed | Sequence[Any] | str | Callable[[], Iterable[Any]] | None = None
    check: Callable[[Any], bool] | None = None
    max_concurrency: int | None = None
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or "}" in self.name:
            raise ConfigError(f"a scenario must have a name, got {self.name!r}; for example 'checkout'")
        if isinstance(self.target, str):
            object.__setattr__(self, "target", Request(self.target))
        elif not isinstance(self.target, (Request, GrpcCall)) and not callable(self.target):
            raise ConfigError(
                f"target must be a URL, a Request, a callable or scenarios, got {self.target!r}; "
                "for example http://127.0.0.1:8000/"
            )
        _checks.number(
            "weight", self.weight, low=1e-6, high=1e6, unit="of the whole", way_out="leave out what is never called"
        )
        if self.max_concurrency is not None:
            check_concurrency(self.max_concurrency)
        if self.engine not in get_args(Engine):
            raise ConfigError(
                f"engine must be {', '.join(get_args(Engine))}, got {self.engine!r}; leave it out for auto"
            )
        object.__setattr__(self, "feed", feed_of(self.feed))
        self._check_together()

    def _check_together(self) -> None:
        for option in ("worker", "check"):
            if getattr(self, option) is not None and not callable(getattr(self, option)):
                raise ConfigError(f"{option} must be a callable, got {getattr(self, option)!r}")
            if getattr(self, option) is not None and not self.is_callable:
                raise ConfigError(f"{option} goes with a callable, not with {self.describe()}; leave it out")
        if self.engine != "auto" and not isinstance(self.target, Request):
            raise ConfigError(f"engine goes with a URL, not with {self.describe()}; leave it out")
        if isinstance(self.target, Request):
            _check_feed(self.target, self.feed)  # type: ignore[arg-type]  # it is a Feed by now
        elif isinstance(self.target, GrpcCall):
            if self.feed is not None:
                raise ConfigError(
                    f"feed goes with a URL or a callable, not with {self.describe()}; give it a list of messages"
                )
        else:
            check_arguments(
                self.target,  # type: ignore[arg-type]  # a URL has become a Request by now
                worker=self.worker is not None,
                feed=self.feed is not None,
                name=self.describe(),
            )

    @property
    def is_callable(self) -> bool:
        """Whether the target is a callable."""
        return not isinstance(self.target, (Request, GrpcCall))

    def rows(self) -> Callable[[int], Any] | None:
        """What gives the row of a call by its number, from the first row on; None where there is no feed.

        It raises FeedEnded when the rows are used up.
        """
        return self.feed.opened() if isinstance(self.feed, Feed) else None

    @property
    def in_threads(self) -> bool:
        """Whether it is called in threads."""
        return callable(self.target) and self.is_callable and not is_coroutine_function(self.target)

    def describe(self) -> str:
        """The target in a few words."""
        if isinstance(self.target, (Request, GrpcCall)):
            return self.target.describe()
        name = getattr(self.target, "__qualname__", None) or type(self.target).__qualname__
        return f"{name}()"


def _check_feed(request: Request, feed: Feed | None) -> None:
    names = sorted(request.placeholders)
    if names and feed is None:
        raise ConfigError(
            f"{request.describe()} has placeholders, so it needs a feed; for example [{{{names[0]!r}: 1}}]"
        )
    if feed is not None and not names:
        raise ConfigError(f"feed has no use in {request.describe()}; put ${{name}} where its values belong")
    first = feed.rows[0] if feed is not None and feed.rows is not None else None
    if first is None:
        return
    if not isinstance(first, Mapping):
        raise ConfigError(f"feed of a URL must have rows that are mappings, got {first!r}; for example {{'id': 1}}")
    missing = [name for name in names if name not in first]
    if missing:
        there = ", ".join(map(str, first)) or "none"
        raise ConfigError(f"feed must have the column {missing[0]!r} of {request.describe()}; it has {there}")


def check_concurrency(value: object) -> int:
    """Return the bound of calls under way."""
    return _checks.whole("max_concurrency", value, low=1, high=100_000, unit="requests", way_out="512 is the default")


def scenarios_of(target: object, options: dict[str, Any]) -> tuple[Scenario, ...]:
    """The scenarios of a test: those given, or the one that a target and its options make.

    Raises:
        ConfigError: There are none or too many, two have one name, or options are given beside scenarios.
    """
    if isinstance(target, Scenario):
        target = [target]
    if not isinstance(target, Sequence) or isinstance(target, (str, bytes)):
        return (Scenario("main", target, **options),)  # type: ignore[arg-type]  # it checks the target itself
    if options:
        raise ConfigError(f"{next(iter(options))} belongs to a scenario where there are scenarios; give it to each")
    if not 1 <= len(target) <= _MOST_SCENARIOS or not all(isinstance(one, Scenario) for one in target):
        raise ConfigError(f"target must be 1 to {_MOST_SCENARIOS} scenarios, got {target!r}")
    names = [one.name for one in target]
    if len(set(names)) < len(names):
        raise ConfigError(f"scenarios must have names of their own, got {names}")
    return tuple(target)
