"""What the server's refusals and broken connections mean.

Source: etcd 3.4 to 3.6, api/v3rpc/rpctypes/error.go; the codes are gRPC's.
"""

from __future__ import annotations

from seawall.engines.etcd._link import NotGrpc
from seawall.errors import (
    AuthFailed,
    Compacted,
    Damaged,
    EngineError,
    Full,
    LeaseLost,
    ReadOnly,
    Unavailable,
    UnknownOutcome,
    WrongVersion,
)

_TEXTS: tuple[tuple[str, type[EngineError], str], ...] = (
    ("no leader", Unavailable, "most of its members cannot be reached from this one; nothing was changed"),
    ("too many requests", Unavailable, "it has more to do than it can; nothing was changed"),
    ("not capable", Unavailable, "its members are being upgraded; nothing was changed"),
    ("unhealthy cluster", Unavailable, "see to its members; nothing was changed"),
    ("proposal dropped", Unavailable, "it has no leader at present; nothing was changed"),
    ("learner", ReadOnly, "name members in the URL that vote"),
    ("database space exceeded", Full, "compact and defragment it, or raise quota-backend-bytes, then disarm the alarm "
     "(etcdctl alarm disarm); the change that went over it may have been made"),
    ("request is too large", Full, "send less at once, or raise max-request-bytes; nothing was changed"),
    ("too many operations", Full, "set max-txn-ops to 128, its default, or more; nothing was changed"),
    ("corrupt", Damaged, "its members disagree about the data: find the one that is wrong, replace it, then disarm the "
     "alarm"),
    ("requested lease not found", LeaseLost, "it has ended"),
    ("has been compacted", Compacted, "its history is no longer kept"),
    ("authentication failed", AuthFailed, "check user and password in the URL"),
    ("user name is empty", AuthFailed, "it wants a user and a password: etcd://user:password@host"),
    ("invalid auth token", AuthFailed, "check that all its members have the same auth-token settings"),
    ("permission denied", AuthFailed, "let a role of this user read and write keys that begin with seawall/"),
)  # fmt: skip
_INVALID, _MISSING, _EXISTS, _DENIED, _EXHAUSTED, _PRECONDITION, _RANGE = 3, 5, 6, 7, 8, 9, 11
_UNIMPLEMENTED, _LOSS, _UNAUTHENTICATED = 12, 15, 16
_CODES: dict[int, tuple[type[EngineError], str]] = {
    **dict.fromkeys((_INVALID, _MISSING, _EXISTS, _PRECONDITION, _RANGE), (EngineError, "nothing was changed")),
    _DENIED: (AuthFailed, "check what this user may do"),
    _EXHAUSTED: (Full, "nothing was changed"),
    _UNIMPLEMENTED: (WrongVersion, "use etcd 3.4 or newer"),
    _LOSS: (Damaged, "see its log"),
    _UNAUTHENTICATED: (AuthFailed, "check user and password in the URL"),
}
_STALE = ("invalid auth token", "revision of auth store is old", "user name is empty")
NO_AUTHENTICATION = "authentication is not enabled"


def refused(status: int, text: str, name: str) -> EngineError:
    """The error of a call that the server has answered with one."""
    for words, kind, remedy in _TEXTS:
        if words in text:
            return kind(f"{name}: {text}; {remedy}")
    if status in _CODES:
        kind, remedy = _CODES[status]
        return kind(f"{name}: {text or f'gRPC status {status}'}; {remedy}")
    # It may have been proposed to the cluster all the same: timed out, stopped, a leader lost.
    return UnknownOutcome(f"{name}: {text or f'gRPC status {status}'}; read the state before you decide")


def is_stale(text: str) -> bool:
    """Whether the token is no longer good, and another one may be."""
    return any(words in text for words in _STALE)


def not_reached(error: BaseException, name: str) -> EngineError:
    """The error of a connection that was not opened, or broke before all was sent."""
    if isinstance(error, NotGrpc):
        return EngineError(f"{name} does not speak as etcd does: {error}; name the client port of etcd in the URL")
    if "CERTIFICATE_REQUIRED" in (text := _text(error)) or "ALERT_BAD_CERTIFICATE" in text:
        return AuthFailed(f"{name} wants a certificate of ours that it trusts: {text}; give cert_file and key_file")
    return Unavailable(f"{name} cannot be reached: {text}; see that it runs and can be reached")


def lost(error: BaseException, name: str) -> UnknownOutcome:
    """The error of a connection that broke, or stayed silent, after all was sent."""
    return UnknownOutcome(
        f"{name} was sent a call and its answer was lost: {_text(error)}; read the state before you decide"
    )


def _text(error: BaseException) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
