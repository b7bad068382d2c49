"""What a holder has in hand."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from seawall.clock import to_ns
from seawall.distributed._holding._line import Stand
from seawall.engines import KeyValue
from seawall.engines.operation import Op, Regardless, awaitable, blocking, bounded, driver_of
from seawall.errors import LeaseLost, LockLost, Unavailable, UnknownOutcome

if TYPE_CHECKING:
    from seawall.distributed._holding._keeper import Keeper
    from seawall.distributed._holding._scope import Scope

_GIVE_BACK = 5.0
_TRIES = 12
_HELD, _RELEASED = "held", "released"


class Held:
    """A lock in hand, without a token: it keeps two from doing the same work, and fences nothing.

    Guarantees: `remaining` never claims more than the engine gives: it counts, by this machine's monotonic clock, from
    before the grant or the last sign of life was sent. (A machine that sleeps, and whose clock sleeps with it, cannot
    know: for that there are fences.) Once lost it stays lost.

    Thread safety: yes.

    Use it in `with` or `async with` to release it at the end: there LockLost is raised when it was lost meanwhile. In a
    task the block is cancelled when it is lost.

    Attributes:
        name: Of the lock.
    """

    __slots__ = (
        "__weakref__",
        "_depth",
        "_driver",
        "_guard",
        "_keeper",
        "_key_value",
        "_lost",
        "_next_ns",
        "_on_release",
        "_pid",
        "_scopes",
        "_stand",
        "_state",
        "_was_kept",
        "_what",
        "name",
    )  # fmt: skip

    def __init__(
        self,
        key_value: KeyValue,
        what: str,
        name: str,
        stand: Stand,
        *,
        keeper: Keeper | None = None,
        on_release: Callable[[Held], None] | None = None,
    ) -> None:
        self.name = name
        self._lost: threading.Event | None = None
        self._key_value = key_value
        self._driver = driver_of(key_value)
        self._what = what
        self._stand = stand
        self._next_ns = stand.renew_ns
        self._state = _HELD
        self._depth = 1
        self._was_kept = False
        self._guard = threading.Lock()
        self._scopes: list[Scope] = []
        self._pid = os.getpid()
        self._keeper = keeper
        self._on_release = on_release
        if keeper is not None:
            keeper.add(self)

    @property
    def lost(self) -> threading.Event:
        """Set when it is lost: at once with renewal, else when it is asked for. A thread may wait for it."""
        with self._guard:
            if self._lost is None:
                self._lost = threading.Event()
                if self._state not in (_HELD, _RELEASED):
                    self._lost.set()
            return self._lost

    @property
    def held(self) -> bool:
        """Whether it is held, as far as is known here."""
        return self.remaining() > 0.0

    def remaining(self) -> float:
        """Seconds for which it is surely held; 0 when it is lost or released, and in a forked child."""
        if self._state != _HELD or self._pid != os.getpid():
            return 0.0
        left = self._stand.ends_ns - self._driver.clock.now_ns()
        if left <= 0:
            self._lose(f"its {self._stand.lease.ttl:g} s have passed without a sign of life")
            return 0.0
        return left / 1e9

    def check(self, at_least: float | timedelta = 0.0) -> None:
        """Go on only while it is held, for `at_least` seconds more.

        Raises:
            LockLost: It is not; or it is, for less than that.
        """
        wanted = to_ns(at_least, "at_least", least_ns=0) / 1e9 if at_least else 0.0
        left = self.remaining()
        if left <= 0.0:
            raise self._error()
        if left < wanted:
            raise LockLost(
                f"{self._called()} has {left:.3g} s left, {wanted:.3g} s are needed; renew it, or give it a longer ttl",
                name=self.name,
                token=self._void_token(),
            )

    def _do_renew(self) -> Op[float]:
        """A sign of life: it has its full time again; returns `remaining()`. Needed without `renew=True` only.

        Raises:
            LockLost: It had been lost.
        """
        if self._state != _HELD or self._pid != os.getpid():
            raise self._error()
        since = self._driver.clock.now_ns()
        try:
            yield from self._key_value._do_keep_alive(self._stand.lease)
        except LeaseLost as error:
            self._lose("the engine has ended its lease")
            raise self._error() from error
        self._renewed(since)
        return self.remaining()

    def _do_release(self) -> Op[bool]:
        """Give it back; False when it was lost before, and so not held all the time.

        An engine that cannot be reached gives it to others when the lease ends: that raises nothing. Of a re-entrant
        lock the last release counts.
        """
        with self._guard:
            if self._depth != 1:
                self._depth = max(0, self._depth - 1)
                return self._state == _HELD if self._depth else self._was_kept
            self._depth = 0
            was_held = self._state == _HELD
            self._state = _RELEASED if was_held else self._state
        self._let_go()
        if self._pid == os.getpid():
            self._was_kept = (yield from self._give_back()) and was_held
        return self._was_kept

    def _let_go(self) -> None:
        if self._keeper is not None:
            self._keeper.discard(self)
        if self._on_release is not None:
            self._on_release(self)

    def _give_back(self) -> Op[bool]:
        """End the lease; whether it was there to the end."""
        yield Regardless(_GIVE_BACK)
        try:
            if (yield from self._key_value._do_revoke(self._stand.lease)):
                return True
        except (Unavailable, UnknownOutcome):
            if self._stand.ends_ns > self._driver.clock.now_ns():
                return True
        self._lose("the engine had ended its lease", was=_RELEASED)
        return False

    renew, renew_async = blocking(_do_renew), awaitable(_do_renew)
    release, release_async = blocking(_do_release), awaitable(_do_release)

    # What the keeper asks.

    @property
    def due_ns(self) -> int:
        """See `Kept`."""
        return min(self._next_ns, self._stand.ends_ns)

    @property
    def ends_ns(self) -> int:
        """See `Kept`."""
        return self._stand.ends_ns

    def look(self, within: float) -> None:
        """See `Kept`."""
        since = self._driver.clock.now_ns()
        if since >= self._stand.ends_ns:
            self._lose(f"it could not be renewed within its {self._stand.lease.ttl:g} s")
            return
        try:
            self._driver.run(bounded(self._key_value._do_keep_alive(self._stand.lease), within))
        except LeaseLost:
            self._lose("the engine has ended its lease")
        except Exception:  # noqa: BLE001 - whatever it is, there is time to try again until the end
            self._next_ns = self._driver.clock.now_ns() + round(self._stand.lease.ttl * 1e9 / _TRIES)
        else:
            self._renewed(since)

    def _renewed(self, since: int) -> None:
        with self._guard:
            if self._state == _HELD and since > self._stand.since_ns:
                self._stand = self._stand._replace(since_ns=since)
                self._next_ns = self._stand.renew_ns

    def _lose(self, why: str, was: str = _HELD) -> None:
        with self._guard:
            if self._state != was:
                return
            self._state = why
            scopes = tuple(self._scopes)
            if self._lost is not None:
                self._lost.set()
        if self._keeper is not None:
            self._keeper.discard(self)
        for scope in scopes:
            scope.cancel()

    def _called(self) -> str:
        return f"{self._what} {self.name!r}"

    def _void_token(self) -> int | None:
        return None

    def _error(self) -> LockLost:
        if self._pid != os.getpid():
            why = "this is a forked child, and its parent holds it; acquire it here"
        elif self._state == _RELEASED:
            why = "it was released; acquire it again"
        else:
            why = f"{self._state}; stop, another may hold it"
        return LockLost(f"{self._called()} is not held: {why}", name=self.name, token=self._void_token())

    # Blocks.

    def __enter__(self) -> Self:
        self.check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._judge(self.release(), error)

    async def __aenter__(self) -> Self:
        from seawall.distributed._holding._scope import Scope

        scope = Scope()
        with self._guard:
            self._scopes.append(scope)
        try:
            self.check()
        except LockLost:
            self._scopes.remove(scope)
            scope.leave(None)
            raise
        if self._keeper is None:
            self._tell_at_the_end(asyncio.get_running_loop())
        return self

    def _tell_at_the_end(self, loop: asyncio.AbstractEventLoop) -> None:
        # Without renewal there is no keeper that would.
        if self.remaining() > 0.0 and self._scopes:
            self._driver.clock.call_at(self._stand.ends_ns, lambda: self._tell_at_the_end(loop), loop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            scope = self._scopes.pop()
        cancelled_here = scope.leave(kind)
        kept = await self.release_async()
        if cancelled_here:
            raise self._error() from error
        self._judge(kept, error)

    def _judge(self, kept: bool, error: BaseException | None) -> None:
        if kept or self._depth:
            return
        if error is None:
            raise self._error()
        if not isinstance(error, LockLost):
            error.add_note(f"{self._called()} was lost meanwhile")

    def __repr__(self) -> str:
        state = f"for {self.remaining():.3g} s" if self.held else "not held"
        return f"<{type(self).__name__} {self.name!r} {state}>"


class FencedHeld(Held):
    """A lock in hand with its fencing token: what writes under it is checked where it is written.

    Attributes:
        token: Greater than that of every holder before. Have the resource refuse a token once it has seen a greater
            one: `SqlFence`, `RedisFence` and `FencedKeyValue` do that in the same atomic step as the write.
    """

    __slots__ = ("token",)

    def __init__(
        self,
        key_value: KeyValue,
        what: str,
        name: str,
        stand: Stand,
        *,
        token: int | None = None,
        keeper: Keeper | None = None,
        on_release: Callable[[Held], None] | None = None,
    ) -> None:
        self.token = stand.token if token is None else token
        super().__init__(key_value, what, name, stand, keeper=keeper, on_release=on_release)

    def _void_token(self) -> int | None:
        return self.token

    def __repr__(self) -> str:
        state = f"for {self.remaining():.3g} s" if self.held else "not held"
        return f"<{type(self).__name__} {self.name!r}, token {self.token}, {state}>"
