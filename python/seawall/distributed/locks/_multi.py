"""Several locks, or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from seawall.distributed._holding import NAMESPACE, Blocks, FencedHeld, Patience, keys_of
from seawall.distributed.locks._lock import FencedLock
from seawall.engines import Engine, KeyValue
from seawall.engines.operation import Op, awaitable, blocking, driver_of
from seawall.errors import ConfigError, TimeoutExceeded

MOST = 1_000


class HeldTogether(Mapping[str, FencedHeld]):
    """Several locks in hand: by name, each with its own token. In a block all are released, and all must have lasted.

    Thread safety: yes.
    """

    def __init__(self, holds: dict[str, FencedHeld]) -> None:
        self._holds = holds
        self._driver = next(iter(holds.values()))._driver
        self._stack: ExitStack | AsyncExitStack | None = None

    def __getitem__(self, name: str) -> FencedHeld:
        return self._holds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._holds)

    def __len__(self) -> int:
        return len(self._holds)

    @property
    def held(self) -> bool:
        """Whether all are held, as far as is known here."""
        return self.remaining() > 0.0

    def remaining(self) -> float:
        """Seconds for which all are surely held."""
        return min(held.remaining() for held in self._holds.values())

    def check(self, at_least: float | timedelta = 0.0) -> None:
        """Go on only while all are held, for `at_least` seconds more.

        Raises:
            LockLost: One is not.
        """
        for held in self._holds.values():
            held.check(at_least)

    def _do_release(self) -> Op[bool]:
        """Give all back; False when one was lost before."""
        kept = True
        for held in reversed(self._holds.values()):
            kept = (yield from held._do_release()) and kept
        return kept

    release, release_async = blocking(_do_release), awaitable(_do_release)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for held in self._holds.values():
                stack.enter_context(held)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert isinstance(self._stack, ExitStack)
        self._stack.__exit__(kind, error, trace)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for held in self._holds.values():
                await stack.enter_async_context(held)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert isinstance(self._stack, AsyncExitStack)
        await self._stack.__aexit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<HeldTogether {', '.join(map(repr, self._holds))}>"


class MultiLock(Blocks[HeldTogether]):
    """Several FencedLocks of one engine: all of them, or none.

    Guarantees: they are acquired in the order of their names by everybody, so that no two wait for each other; while
    one waits for the next, those it has are renewed. What cannot be completed in time is given back. Each stands in
    line with the FencedLock of its name, and has its own token.

    Thread safety: yes.

    Cost: a round trip for each to acquire, and one to release.

    Args:
        store: An engine, or the key_value of one; of an engine it is the namespace "locks".
        names: What is locked: 1 to 1,000 different names.
        ttl: How long each is held without a sign of life, in seconds, 0.1 to a day.
        owner: What others see of the holder; by default host and process.

    Example:
        >>> from seawall.engines import open_engine
        >>> with MultiLock(open_engine("memory://"), ["account/7", "account/3"]) as held:
        ...     list(held)
        ['account/3', 'account/7']
    """

    def __init__(
        self,
        store: Engine | KeyValue,
        names: Iterable[str],
        *,
        ttl: float | timedelta = 10.0,
        owner: str | None = None,
    ) -> None:
        super().__init__()
        wanted = [names] if isinstance(names, str) else list(names)
        if isinstance(names, str) or len(set(wanted)) != len(wanted) or not 1 <= len(wanted) <= MOST:
            raise ConfigError(f"names must be 1 to {MOST:,} different names, got {names!r}")
        key_value = keys_of(store, NAMESPACE)
        self._driver = driver_of(key_value)
        self._locks = {lock.name: lock for lock in (FencedLock(key_value, n, ttl=ttl, owner=owner) for n in wanted)}
        self.names = tuple(sorted(self._locks))

    def _do_try_acquire(self) -> Op[HeldTogether | None]:
        """Hold all if all are free at once; else None."""
        try:
            return (yield from self._hold(Patience(None, now=True)))
        except TimeoutExceeded:
            return None

    try_acquire, try_acquire_async = blocking(_do_try_acquire), awaitable(_do_try_acquire)

    def _hold(self, wait: Patience) -> Op[HeldTogether]:
        while True:
            holds: dict[str, FencedHeld] = {}
            try:
                for name in self.names:
                    holds[name] = yield from self._locks[name]._hold(wait)
            except GeneratorExit:
                raise
            except BaseException:
                yield from _give_back(holds)
                raise
            together = HeldTogether(holds)
            if together.held:
                return together
            # One was lost while others were waited for.
            yield from _give_back(holds)

    def __repr__(self) -> str:
        return f"<MultiLock {', '.join(map(repr, self.names))} on {self._driver.name}>"


def _give_back(holds: dict[str, FencedHeld]) -> Op[None]:
    for held in reversed(holds.values()):
        yield from held._do_release()
