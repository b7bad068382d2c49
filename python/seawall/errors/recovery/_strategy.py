"""What all recoveries have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from seawall._errors import ConfigError
from seawall.errors._cancellation import is_cancellation
from seawall.errors._classification import Kind
from seawall.errors._default import classify
from seawall.errors.recovery._machine import Steps, drive, drive_async

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Recovered:
    """A failed call has a value after all.

    Args:
        value: The value.
        by: Name of the recovery that brought it.
    """

    value: Any
    by: str


class Recovery:
    """One way to go on after an error. Chain several with `|`: this, else that.

    Guarantees: An error that is not of the kinds in `when` is raised again as it is, and so is every cancellation. When
    a recovery fails, its own error goes to the next one in the chain, and in the end to the caller.

    Thread safety: yes; nothing is kept between calls.

    Args:
        when: A kind, or several, that this recovery is for; by default all.
    """

    def __init__(self, *, when: Kind | Iterable[Kind] | None = None) -> None:
        kinds = [when] if isinstance(when, Kind) else list(when or Kind)
        wrong = [kind for kind in kinds if not isinstance(kind, Kind)]
        if wrong:
            raise ConfigError(f"when must be a Kind or several, got {wrong[0]!r}")
        self.when = frozenset(kinds)

    def recover(self, error: BaseException, call: Call) -> Recovered:
        """A value in place of `error`.

        Args:
            error: What the call raised.
            call: The call, without arguments, to be made again.

        Raises:
            BaseException: `error`, or what came of trying.
            ConfigError: Something to be called is asynchronous.
        """
        return drive(self.steps(error, call))

    async def recover_async(self, error: BaseException, call: Callable[[], Any]) -> Recovered:
        """`recover` for coroutine functions and others; what is called may be either.

        Raises:
            BaseException: `error`, or what came of trying.
        """
        return await drive_async(self.steps(error, call))

    def __or__(self, other: Recovery) -> Chain:
        return Chain(self, other)

    def steps(self, error: BaseException, call: Call) -> Steps[Recovered]:
        """The steps, as the machine runs them."""
        if is_cancellation(error) or not self.applies(error):
            raise error
        value = yield from self.attempt(error, call)
        return Recovered(value, self.name)

    def applies(self, error: BaseException) -> bool:
        """Whether this recovery is for `error`."""
        return len(self.when) == len(Kind) or classify(error).kind in self.when

    def attempt(self, error: BaseException, call: Call) -> Steps[Any]:
        """For subclasses: yield what is to be called, return the value, or raise."""
        raise NotImplementedError(f"{self.name} must say what it does in attempt(error, call)")

    @property
    def name(self) -> str:
        """What `Recovered.by` calls it."""
        return type(self).__qualname__


class Chain(Recovery):
    """Recoveries in order: the first that succeeds wins; each is given the error the one before ended with."""

    def __init__(self, *recoveries: Recovery) -> None:
        super().__init__()
        wrong = [one for one in recoveries if not isinstance(one, Recovery)]
        if wrong or not recoveries:
            got = repr(wrong[0]) if wrong else "nothing"
            raise ConfigError(f"a chain must be of recoveries, got {got}; see seawall.errors.recovery")
        # Flat, so that a | b | c and a | (b | c) are the same chain.
        self.recoveries: tuple[Recovery, ...] = tuple(
            part for one in recoveries for part in (one.recoveries if isinstance(one, Chain) else (one,))
        )

    def steps(self, error: BaseException, call: Call) -> Steps[Recovered]:
        """The steps of the first that succeeds."""
        for recovery in self.recoveries:
            try:
                return (yield from recovery.steps(error, call))
            except Exception as next_error:  # noqa: BLE001 - the next one decides what becomes of it
                error = next_error
        raise error

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.recoveries))
