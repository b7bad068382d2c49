"""What policies do, told by the span in which they do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from seawall.errors import ConfigError
from seawall.observe.tracing._current import recording_span
from seawall.patterns import Connection, Signal

_Writer = Callable[[Any, Any], None]
_PLAIN = (str, int, float, bool, type(None))


class Instrumented:
    """The ties between policies and the current span: `close()` them, or use it in `with`."""

    def __init__(self, connections: list[Connection[Any]]) -> None:
        self._connections = connections

    def __len__(self) -> int:
        return sum(connection.connected for connection in self._connections)

    def close(self) -> None:
        """Policies tell spans nothing any more."""
        for connection in self._connections:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Instrumented: {len(self)} signals>"


def instrument(*guards: Any) -> Instrumented:
    """Let policies tell the current span what they do: attempts and waits, states and refusals, timeouts, fallbacks.

    A span's attributes `seawall.<policy>.<what>` hold the latest, its events everything, in order. Calls that no policy
    had to do anything about cost nothing and tell nothing.

    Args:
        guards: Policies, pipelines, guarded functions, or anything else that has Signals.

    Raises:
        ConfigError: There is nothing that could tell.

    Example:
        >>> import seawall as sw
        >>> from seawall.observe.tracing import Tracer
        >>> breaker, tracer = sw.CircuitBreaker("bank", consecutive=1), Tracer("shop")
        >>> with instrument(breaker), tracer.span("charge") as span:
        ...     breaker.enter().failure()
        >>> span.attributes
        {'seawall.bank.state': 'open'}
    """
    signals = [signal for guard in guards for part in _parts(guard) for signal in _signals(part)]
    if not signals:
        asked = ", ".join(map(repr, guards)) or "what was given (nothing)"
        raise ConfigError(f"no signals in {asked}; give policies, pipelines or guarded functions")
    return Instrumented([signal.connect(_receiver(signal)) for signal in dict.fromkeys(signals)])


def _parts(guard: Any) -> Iterator[Any]:
    owner = getattr(guard, "policy", None)
    if owner is not None and callable(guard):  # a guarded function
        yield from _parts(owner)
        return
    inner = getattr(guard, "policies", None)
    if isinstance(inner, tuple):
        for policy in inner:
            yield from _parts(policy)
        return
    yield guard


def _signals(guard: Any) -> Iterator[Signal[Any]]:
    names = [name for name in dir(type(guard)) if not name.startswith("_")]
    names += [name for name in getattr(guard, "__dict__", ()) if name not in names]
    for name in names:
        if not isinstance(getattr(type(guard), name, None), property):
            value = getattr(guard, name, None)
            if isinstance(value, Signal):
                yield value


def _receiver(signal: Signal[Any]) -> Callable[[Any], None]:
    write = _WRITERS.get(signal.name, _anything)
    title = signal.name

    def tell(event: Any) -> None:
        span = recording_span()
        if span is None:
            return
        write(span, event)
        span.event(title, dict(_plain_fields(event)))

    return tell


def _plain_fields(event: Any) -> Iterator[tuple[str, Any]]:
    """What an event says, errors as the name of their kind: messages may hold what belongs in no trace."""
    names = getattr(event, "_fields", ()) or getattr(event, "__dataclass_fields__", ())
    for name in names:
        value = getattr(event, name)
        if isinstance(value, BaseException):
            yield name, type(value).__qualname__
        elif isinstance(value, _PLAIN) and value is not None:
            yield name, value


def _key(event: Any, what: str) -> str:
    return f"seawall.{event.name}.{what}"


def _retrying(span: Any, event: Any) -> None:
    span.set(_key(event, "attempt"), event.attempt + 1)
    span.set(_key(event, "wait"), event.wait)


def _attempts(span: Any, event: Any) -> None:
    span.set(_key(event, "attempt"), event.attempts)


def _gave_up(span: Any, event: Any) -> None:
    _attempts(span, event)
    span.set(_key(event, "gave_up"), event.reason or "all attempts are used up")


def _state_changed(span: Any, event: Any) -> None:
    span.set(_key(event, "state"), event.after)


def _refused(span: Any, event: Any) -> None:
    span.set(_key(event, "state"), event.state)
    span.set(_key(event, "refused"), True)


def _timed_out(span: Any, event: Any) -> None:
    span.set(_key(event, "timed_out_after"), event.after)


def _fell_back(span: Any, event: Any) -> None:
    span.set(_key(event, "answered_by"), event.source)


def _anything(span: Any, event: Any) -> None:
    """A signal that is not known here: its event is told, no attribute is set."""


_WRITERS: dict[str, _Writer] = {
    "retry.retrying": _retrying,
    "retry.recovered": _attempts,
    "retry.gave_up": _gave_up,
    "circuit_breaker.state_changed": _state_changed,
    "circuit_breaker.call_refused": _refused,
    "bulkhead.refused": _refused,
    "timeout.timed_out": _timed_out,
    "fallback.fell_back": _fell_back,
}
