"""Every error seawall raises on purpose.

::

    SeawallError
    ├── Rejected                 a guard refused a call: retry_after, policy, key, state
    │   ├── RateLimited          a limit was reached
    │   ├── CircuitOpen          a circuit breaker lets nothing through
    │   ├── BulkheadFull         all places, and all places in the queue, are taken
    │   ├── Shed                 load was shed, this call with it
    │   ├── Throttled            the service refuses so much that it was not even asked
    │   ├── ShuttingDown         the service ends and takes nothing more
    │   ├── DeadlineExceeded     the deadline leaves no time for the call (also a TimeoutError)
    │   └── RetryBudgetExhausted the share of calls that may be repeats is used up
    ├── TimeoutExceeded          a call that was made took too long: after (also a TimeoutError)
    ├── ConfigError              an option or argument that can never work (also a ValueError)
    ├── EngineError              a store or service below seawall failed or answered nonsense
    │   ├── Unavailable          not reached; nothing was changed
    │   ├── UnknownOutcome       a change was sent, its answer lost
    │   ├── Conflict             not as expected; nothing was changed
    │   ├── Compacted            that history is no longer kept
    │   ├── LeaseLost            a lease or claim has expired or has another owner
    │   │   └── LockLost         a lock, permit or leadership: name, token
    │   ├── WrongVersion         of the engine or of the data in it
    │   ├── ReadOnly             no changes are taken
    │   ├── Full                 no more room
    │   ├── AuthFailed           credentials or rights
    │   └── Damaged              what is kept cannot be read
    ├── OutOfOrder               an operation of a distributed transaction that can never come there
    ├── TransactionError         a distributed transaction cannot go on as asked: kind, id
    │   ├── TransactionExists    the id has another name or input
    │   ├── TransactionBusy      somebody else has it
    │   ├── TransactionAborted   undone everywhere: a participant voted no
    │   ├── TransactionInDoubt   committed or aborted, not known here
    │   └── TransactionUnknown   there is none, or no longer
    ├── StepRefused              raised by an action: it has not happened, and is not going to
    ├── SegmentError             a shared memory segment that cannot be used
    └── ClockDrift               a stamp too far ahead: stamp, ahead, most
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from seawall._errors._pickling import alone, get_cause, pack_chain, rebuild, set_cause

_PUBLIC = "seawall.errors"


class SeawallError(Exception):
    """The base of all errors raised by seawall.

    Guarantees: pickles with its arguments, every attribute, its notes and the chain of errors behind it
    (`raise ... from`), whatever the signature of a subclass. What does not pickle itself travels as text: an attribute
    as its repr, an error of the chain as a `CauseStandIn`.
    """

    __module__ = _PUBLIC
    _packs_chain = True
    __cause__ = property(get_cause, set_cause)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own __reduce__ forgets keyword-only arguments and the cause; errors cross process pools.
        return rebuild, (*alone(self), pack_chain(self))


class ConfigError(SeawallError, ValueError):
    """An option or argument can never work; the message names the value, the range and the way out."""

    __module__ = _PUBLIC


class EngineError(SeawallError):
    """A store or service that seawall stands on failed, or answered what it must not; the cause says more."""

    __module__ = _PUBLIC


class OutOfOrder(SeawallError):
    """An operation of a distributed transaction came where it can never come, such as a confirm after a cancel.

    Nothing was done. Somebody sends what was not decided, or the rows that would tell are gone.
    """

    __module__ = _PUBLIC


class SegmentError(SeawallError):
    """A shared memory segment cannot be created, attached or used as asked; the message says why and what to do."""

    __module__ = _PUBLIC


class ClockDrift(SeawallError):
    """A stamp of another machine is too far ahead to be taken; the clock that refused it stays as it was.

    Units: `ahead` and `most` are in seconds, of a Lamport clock in ticks.

    Args:
        message: What happened, for people.
        stamp: The stamp that was refused.
        ahead: How far it is ahead.
        most: How far it might have been.
    """

    __module__ = _PUBLIC

    def __init__(self, message: str, *, stamp: int, ahead: float, most: float) -> None:
        super().__init__(message)
        self.stamp = stamp
        self.ahead = ahead
        self.most = most


class Rejected(SeawallError):
    """A guard refused a call: what it protects was never asked.

    Units: `retry_after` is in seconds from the refusal; None when no time can be given.

    Args:
        message: What happened, for people.
        retry_after: When the same call may be admitted.
        policy: Name of the policy that refused.
        key: The key it was refused for; None where the policy has no keys.
        state: The policy's state at the refusal, for policies that have one.
    """

    __module__ = _PUBLIC

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        policy: str | None = None,
        key: Hashable = None,
        state: str | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.policy = policy
        self.key = key
        self.state = state


class RateLimited(Rejected):
    """A limit was reached."""

    __module__ = _PUBLIC


class CircuitOpen(Rejected):
    """A circuit breaker is open, or half open with all its probes under way."""

    __module__ = _PUBLIC


class BulkheadFull(Rejected):
    """As many calls run as may, and as many wait as may."""

    __module__ = _PUBLIC


class Shed(Rejected):
    """The service carries more than it can, and this call was among the least important."""

    __module__ = _PUBLIC


class Throttled(Rejected):
    """The service has lately refused so many calls that this one was not even made."""

    __module__ = _PUBLIC


class ShuttingDown(Rejected):
    """The service ends and takes nothing more; another one will."""

    __module__ = _PUBLIC


class DeadlineExceeded(Rejected, TimeoutError):
    """The deadline has passed, or leaves less time than the call needs; the call was not made."""

    __module__ = _PUBLIC


class RetryBudgetExhausted(Rejected):
    """The call may not be repeated: repeats have used up their share of all calls."""

    __module__ = _PUBLIC


class TimeoutExceeded(SeawallError, TimeoutError):
    """A call that was made did not finish in time.

    Units: `after` is in seconds.

    Args:
        message: What happened, for people.
        after: How long the call was given; None when unknown.
        policy: Name of the policy that gave up waiting.
    """

    __module__ = _PUBLIC

    def __init__(self, message: str, *, after: float | None = None, policy: str | None = None) -> None:
        super().__init__(message)
        self.after = after
        self.policy = policy
