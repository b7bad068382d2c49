"""The recoveries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seawall._errors import ConfigError
from seawall.errors._classification import Advice, Kind
from seawall.errors._default import classify
from seawall.errors.recovery._machine import Steps
from seawall.errors.recovery._strategy import Call, Recovered, Recovery

When = Kind | Iterable[Kind] | None


class Retry(Recovery):
    """Make the call again at once, up to `times`, while its error is retryable and of the kinds asked for.

    Waiting between attempts, budgets and deadlines are the business of `seawall.Retry`, around the call.

    Args:
        times: How often at most, 1 to 100.
        when: The kinds it is for; by default all that are retryable.

    Example:
        >>> answers = iter([ConnectionResetError(), "late"])
        >>> def call():
        ...     answer = next(answers)
        ...     if isinstance(answer, Exception):
        ...         raise answer
        ...     return answer
        >>> Retry(3).recover(TimeoutError(), call)
        Recovered(value='late', by='Retry')
    """

    def __init__(self, times: int, *, when: When = None) -> None:
        super().__init__(when=when)
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= 100:
            raise ConfigError(f"times must be a whole number, 1 to 100, got {times!r}")
        self.times = times
        self._chosen = when is not None

    def applies(self, error: BaseException) -> bool:
        """Whether the error is worth another attempt: of the kinds named, or else retryable."""
        return super().applies(error) and (self._chosen or classify(error).is_retryable)

    def attempt(self, error: BaseException, call: Call) -> Steps[Any]:
        """Call until it succeeds, the error is another matter, or the attempts are used up."""
        for _ in range(self.times):
            try:
                return (yield call)
            except Exception as again:
                if not self.applies(again):
                    raise
                error = again
        raise error

    def __repr__(self) -> str:
        return f"{self.name}({self.times})"


class RetryOnce(Retry):
    """Make the call again, once."""

    def __init__(self, *, when: When = None) -> None:
        super().__init__(1, when=when)

    def __repr__(self) -> str:
        return "RetryOnce()"


class Fallback(Recovery):
    """Take another value.

    Args:
        value: The value, or a function of the error that brings it.
        when: The kinds it is for; by default all.

    Example:
        >>> (RetryOnce(when=Kind.timeout) | Fallback([])).recover(ConnectionRefusedError(), list)
        Recovered(value=[], by='Fallback')
    """

    def __init__(self, value: Any, *, when: When = None) -> None:
        super().__init__(when=when)
        self.value = value

    def attempt(self, error: BaseException, call: Call) -> Steps[Any]:  # noqa: ARG002
        """The value."""
        if not callable(self.value):
            return self.value
        return (yield lambda: self.value(error))

    def __repr__(self) -> str:
        return f"Fallback({self.value!r})"


class Restart(Recovery):
    """Make whatever failed anew (reconnect, respawn, reload), then make the call once.

    Args:
        restart: Does it; a function without arguments.
        when: The kinds it is for; by default all.
    """

    def __init__(self, restart: Callable[[], Any], *, when: When = None) -> None:
        super().__init__(when=when)
        self.restart = _function(restart, "restart")

    def attempt(self, error: BaseException, call: Call) -> Steps[Any]:  # noqa: ARG002
        """Restart, call."""
        yield self.restart
        return (yield call)

    def __repr__(self) -> str:
        return f"Restart({self.restart!r})"


class Escalate(Recovery):
    """Tell somebody, then raise the error again; in a chain, the next one goes on with it.

    Args:
        tell: A function of the error.
        when: The kinds it is for; by default all.
    """

    def __init__(self, tell: Callable[[BaseException], Any], *, when: When = None) -> None:
        super().__init__(when=when)
        self.tell = _function(tell, "tell")

    def attempt(self, error: BaseException, call: Call) -> Steps[Any]:  # noqa: ARG002
        """Tell, raise."""
        yield lambda: self.tell(error)
        raise error

    def __repr__(self) -> str:
        return f"Escalate({self.tell!r})"


class Ignore(Recovery):
    """Go on with None."""

    def attempt(self, error: BaseException, call: Call) -> Steps[Any]:  # noqa: ARG002
        """None."""
        yield from ()

    def __repr__(self) -> str:
        return "Ignore()"


class ByAdvice(Recovery):
    """The recovery that the error's classification advises.

    Args:
        recoveries: Recoveries by advice; an error with another advice is raised again.

    Example:
        >>> plan = ByAdvice({Advice.retry: RetryOnce(), Advice.fallback: Fallback("cached")})
        >>> plan.recover(TimeoutError(), lambda: "answer")
        Recovered(value='answer', by='RetryOnce')
    """

    def __init__(self, recoveries: Mapping[Advice, Recovery]) -> None:
        super().__init__()
        for advice, recovery in recoveries.items():
            if not isinstance(advice, Advice) or not isinstance(recovery, Recovery):
                raise ConfigError(f"recoveries must map Advice to recoveries, got {advice!r}: {recovery!r}")
        self.recoveries = dict(recoveries)

    def steps(self, error: BaseException, call: Call) -> Steps[Recovered]:
        """The steps of the advised one."""
        recovery = self.recoveries.get(classify(error).advice)
        if recovery is None:
            raise error
        return (yield from recovery.steps(error, call))

    def __repr__(self) -> str:
        return f"ByAdvice({', '.join(f'{advice.name}: {one!r}' for advice, one in self.recoveries.items())})"


def _function(value: Any, what: str) -> Any:
    if not callable(value):
        raise ConfigError(f"{what} must be callable, got {value!r}")
    return value
