"""What is known of errors: seawall's own, Python's, and by name those of libraries that need not be installed."""

from __future__ import annotations

import errno
from typing import Any

from seawall._errors import (
    AuthFailed,
    BulkheadFull,
    Compacted,
    ConfigError,
    Conflict,
    Damaged,
    DeadlineExceeded,
    EngineError,
    Full,
    LeaseLost,
    OutOfOrder,
    RateLimited,
    ReadOnly,
    Rejected,
    SegmentError,
    TimeoutExceeded,
    TransactionAborted,
    TransactionInDoubt,
    UnknownOutcome,
    WrongVersion,
)
from seawall.errors._classification import Advice, Classification, Kind, Severity, classification
from seawall.errors._libraries import LIBRARIES

_OWN: dict[type | str, Classification] = {
    RateLimited: classification(Kind.rate_limited, refused=True),
    BulkheadFull: classification(Kind.unavailable, refused=True),
    DeadlineExceeded: classification(Kind.timeout, advice=Advice.fallback, refused=True),
    # CircuitOpen, Shed, Throttled, RetryBudgetExhausted: asking again is what they are there to prevent.
    Rejected: classification(Kind.unavailable, advice=Advice.fallback, refused=True),
    TimeoutExceeded: classification(Kind.timeout),
    ConfigError: classification(Kind.bug),
    OutOfOrder: classification(Kind.bug),
    SegmentError: classification(Kind.bug),
    EngineError: classification(Kind.unavailable),
    # Whether it happened must be found out first: sending it again is what the error is there to prevent.
    UnknownOutcome: classification(Kind.unknown),
    TransactionInDoubt: classification(Kind.unknown),
    TransactionAborted: classification(Kind.invalid, Severity.info),
    Conflict: classification(Kind.invalid, Severity.info),
    Compacted: classification(Kind.invalid, Severity.warning),
    LeaseLost: classification(Kind.invalid, Severity.warning, Advice.fallback),
    WrongVersion: classification(Kind.invalid, Severity.critical, Advice.escalate),
    ReadOnly: classification(Kind.unavailable, Severity.critical, Advice.escalate),
    Full: classification(Kind.unavailable, Severity.critical, Advice.escalate),
    AuthFailed: classification(Kind.denied),
    Damaged: classification(Kind.unknown, Severity.critical),
}
_PYTHON: dict[type | str, Classification] = {
    ConnectionRefusedError: classification(Kind.unavailable),
    ConnectionError: classification(Kind.transient),
    TimeoutError: classification(Kind.timeout),
    PermissionError: classification(Kind.denied),
    FileNotFoundError: classification(Kind.invalid),
    FileExistsError: classification(Kind.invalid),
    IsADirectoryError: classification(Kind.invalid),
    NotADirectoryError: classification(Kind.invalid),
    BlockingIOError: classification(Kind.transient),
    InterruptedError: classification(Kind.transient),
    EOFError: classification(Kind.transient),
    MemoryError: classification(Kind.unavailable, Severity.critical, Advice.restart),
    # The callee was given a value it cannot use.
    ValueError: classification(Kind.invalid),
    # The program does what no value can make right.
    TypeError: classification(Kind.bug),
    AttributeError: classification(Kind.bug),
    NameError: classification(Kind.bug),
    LookupError: classification(Kind.bug),
    ArithmeticError: classification(Kind.bug),
    AssertionError: classification(Kind.bug),
    ImportError: classification(Kind.bug),
    NotImplementedError: classification(Kind.bug),
    RecursionError: classification(Kind.bug),
    SyntaxError: classification(Kind.bug),
    # The peer answered what is not JSON, most often an error page of something in between.
    "json.JSONDecodeError": classification(Kind.transient),
    "asyncio.QueueFull": classification(Kind.unavailable),
    "queue.Full": classification(Kind.unavailable),
    "concurrent.BrokenExecutor": classification(Kind.unavailable, Severity.critical, Advice.restart),
    "subprocess.TimeoutExpired": classification(Kind.timeout),
    "socket.herror": classification(Kind.transient),
    "ssl.SSLError": classification(Kind.transient),
    # The peer cannot prove who it is; trying again will not change that.
    "ssl.SSLCertVerificationError": classification(Kind.unavailable, advice=Advice.escalate),
    "http.HTTPException": classification(Kind.transient),
    "http.InvalidURL": classification(Kind.invalid),
    "sqlite3.OperationalError": classification(Kind.transient),
    "sqlite3.IntegrityError": classification(Kind.invalid),
    "sqlite3.DataError": classification(Kind.invalid),
    "sqlite3.ProgrammingError": classification(Kind.bug),
    "sqlite3.DatabaseError": classification(Kind.unknown, Severity.critical),
}
_EXHAUSTED = classification(Kind.unavailable, Severity.critical, Advice.escalate)
_ERRNOS = {
    **dict.fromkeys(
        (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL),
        classification(Kind.unavailable),
    ),
    **dict.fromkeys((errno.ENETRESET, errno.EBUSY, errno.EDEADLK, errno.ESTALE), classification(Kind.transient)),
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EIO, errno.EROFS),
        _EXHAUSTED,
    ),
    **dict.fromkeys((errno.EINVAL, errno.ENAMETOOLONG, errno.ENOTEMPTY), classification(Kind.invalid)),
    **dict.fromkeys((errno.EBADF, errno.EADDRINUSE), classification(Kind.bug)),
}


def by_errno(error: Any) -> Classification | None:
    """What an OSError's number means, for those that Python gives no class of their own."""
    return _ERRNOS.get(getattr(error, "errno", None) or 0)


def by_resolver(error: Any) -> Classification | None:
    """What a failed name resolution means: EAI_AGAIN passes, a name that does not exist does not."""
    import socket

    if getattr(error, "errno", None) == socket.EAI_AGAIN:
        return classification(Kind.transient)
    return classification(Kind.unavailable, advice=Advice.escalate)


def _always(found: Classification) -> Any:
    return (lambda _: found,)


KNOWN: dict[type | str, Any] = {
    **{what: _always(found) for table in (_OWN, _PYTHON) for what, found in table.items()},
    **LIBRARIES,
    OSError: (by_errno,),
    "socket.gaierror": (by_resolver,),
}
