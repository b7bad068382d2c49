"""Observer: whoever has something to tell sends it; whoever wants to know connects."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seawall._errors import ConfigError
from seawall.patterns._failures import SignalFailure, log_failure
from seawall.patterns._receivers import Receiver

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Connection(Generic[T]):
    """A receiver's tie to a signal: `close()` it, or use it in `with`.

    Calling a connection calls its receiver, so that a decorated function stays a function.
    """

    __slots__ = ("_receiver", "_signal")

    def __init__(self, signal: Signal[T], receiver: Receiver) -> None:
        self._signal = signal
        self._receiver = receiver

    @property
    def connected(self) -> bool:
        """Whether the receiver is called for what is sent."""
        return self._receiver in self._signal._receivers and self._receiver.target() is not None

    def close(self) -> None:
        """End the tie; a second time does nothing."""
        self._signal._remove(self._receiver)

    def __call__(self, event: T) -> Any:
        call = self._receiver.target()
        if call is None:
            raise ReferenceError(f"the receiver {self._receiver.name} was held weakly and is gone")
        return call(event)

    def __enter__(self) -> Connection[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "connected" if self.connected else "closed"
        return f"<Connection of {self._receiver.name} to {self._signal.name}, {state}>"


class Signal(Generic[T]):
    """Tells connected receivers about events of one type.

    Guarantees: Receivers are called in the order they were connected. One that fails keeps none of the others from
    being called and never fails the sender. Whoever connects or disconnects during a send changes the next send.

    Thread safety: yes. `send` takes no lock; receivers run in the sender's thread.

    Cost: nothing worth naming without receivers, if the event is built only when somebody listens::

        if signal:
            signal.send(Opened(name, at))

    Args:
        name: What messages call it.
        event_type: Type of the events.
        strict: Refuse events of another type.
        on_failure: Told of every failed receiver; by default the logger "seawall" is, ever more seldom.

    Example:
        >>> opened = Signal("door.opened", str)
        >>> bool(opened)
        False
        >>> with opened.connect(print):
        ...     opened.send("front")
        front
    """

    __slots__ = (
        "__weakref__",
        "_lock",
        "_receivers",
        "_tasks",
        "event_type",
        "failures",
        "name",
        "on_failure",
        "strict",
    )

    def __init__(
        self,
        name: str,
        event_type: type[T],
        *,
        strict: bool = False,
        on_failure: Callable[[SignalFailure], object] = log_failure,
    ) -> None:
        self.name = name
        self.event_type = event_type
        self.strict = strict
        self.on_failure = on_failure
        self.failures = 0
        self._receivers: tuple[Receiver, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()
        # Reentrant: collecting a weak receiver may call back while this very thread holds the lock.
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._receivers)

    @property
    def receivers(self) -> int:
        """How many are connected."""
        return len(self._receivers)

    def connect(self, receiver: Callable[[T], Any], *, weak: bool = False) -> Connection[T]:
        """Call `receiver` with every event from now on. Also a decorator.

        Args:
            receiver: A function, or a coroutine function.
            weak: Forget the receiver when nobody else holds it; a bound method when nobody holds its object.

        Raises:
            ConfigError: It cannot be called, or cannot be held weakly.
        """
        if not callable(receiver):
            raise ConfigError(f"a receiver of signal {self.name} must be callable, got {receiver!r}")
        try:
            tied = Receiver(receiver, _forget_in(self) if weak else None)
        except TypeError:
            raise ConfigError(
                f"a receiver of type {type(receiver).__qualname__} cannot be held weakly by signal {self.name}; "
                "connect it with weak=False"
            ) from None
        with self._lock:
            self._receivers = (*self._receivers, tied)
        return Connection(self, tied)

    def disconnect(self, receiver: Callable[[T], Any]) -> bool:
        """End all ties of `receiver`; False when there was none."""
        with self._lock:
            kept = tuple(tied for tied in self._receivers if not tied.holds(receiver))
            changed = len(kept) < len(self._receivers)
            self._receivers = kept
        return changed

    def send(self, event: T) -> None:
        """Call every receiver with `event`.

        What a coroutine receiver returns becomes a task of the loop that runs here; without a loop it counts as that
        receiver's failure.

        Raises:
            ConfigError: The signal is strict and the event has another type.
        """
        if self.strict:
            self._check(event)
        for receiver in self._receivers:
            answer = self._deliver(receiver, event)
            if answer is not None and isinstance(answer, Awaitable):
                self._schedule(receiver, event, answer)

    async def send_async(self, event: T) -> None:
        """`send` that awaits coroutine receivers, each before the next is called.

        Raises:
            ConfigError: The signal is strict and the event has another type.
        """
        if self.strict:
            self._check(event)
        for receiver in self._receivers:
            answer = self._deliver(receiver, event)
            if answer is not None and isinstance(answer, Awaitable):
                await self._finish(receiver, event, answer)

    def _deliver(self, receiver: Receiver, event: T) -> Any:
        call = receiver.target()
        if call is None:
            self._remove(receiver)
            return None
        try:
            return call(event)
        except Exception as error:  # noqa: BLE001 - isolating receivers is the promise
            self._failed(receiver, event, error)
            return None

    async def _finish(self, receiver: Receiver, event: T, answer: Awaitable[Any]) -> None:
        try:
            await answer
        except Exception as error:  # noqa: BLE001 - isolating receivers is the promise
            self._failed(receiver, event, error)

    def _schedule(self, receiver: Receiver, event: T, answer: Awaitable[Any]) -> None:
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
            problem = RuntimeError(
                f"receiver {receiver.name} of signal {self.name} is asynchronous and no event loop runs here; "
                "await send_async(event), or connect a plain function"
            )
            self._failed(receiver, event, problem)
            return
        task = loop.create_task(self._finish(receiver, event, answer))
        # The loop itself holds tasks weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _failed(self, receiver: Receiver, event: T, error: Exception) -> None:
        with self._lock:
            self.failures += 1
            receiver.failures += 1
            count = receiver.failures
        failure = SignalFailure(self.name, receiver.name, event, error, count)
        try:
            self.on_failure(failure)
        except Exception as worse:  # noqa: BLE001 - a broken hook must not fail the sender either
            log_failure(SignalFailure(self.name, "on_failure", event, worse, count))

    def _remove(self, receiver: Receiver) -> None:
        with self._lock:
            self._receivers = tuple(tied for tied in self._receivers if tied is not receiver)

    def _check(self, event: object) -> None:
        if not isinstance(event, self.event_type):
            raise ConfigError(
                f"signal {self.name} sends {self.event_type.__qualname__}, got {type(event).__qualname__}: {event!r}"
            )

    def __repr__(self) -> str:
        return f"<Signal {self.name} of {self.event_type.__qualname__}: {self.receivers} connected>"


def _forget_in(signal: Signal[Any]) -> Callable[[Receiver], None]:
    import weakref

    ref = weakref.ref(signal)

    def forget(receiver: Receiver) -> None:
        there = ref()
        if there is not None:
            there._remove(receiver)

    return forget
