"""What errors of the server and of the connection mean."""

from __future__ import annotations

from seawall.errors import AuthFailed, Damaged, EngineError, Full, ReadOnly, Unavailable, UnknownOutcome, WrongVersion

# By the class the client library makes of a reply (which then lacks its first word), and by that word.
_BY_CLASS: dict[str, tuple[type[EngineError], str]] = {}
_BY_WORD: dict[str, tuple[type[EngineError], str]] = {}


def _means(kind: type[EngineError], remedy: str, words: str, classes: str = "") -> None:
    _BY_WORD.update(dict.fromkeys(words.split(), (kind, remedy)))
    _BY_CLASS.update(dict.fromkeys(classes.split(), (kind, remedy)))


_means(
    Full, "raise maxmemory, or delete what is not needed; nothing was changed",
    "OOM", "OutOfMemoryError",
)  # fmt: skip
_means(
    ReadOnly, "it is a replica: connect to the primary",
    "READONLY", "ReadOnlyError",
)  # fmt: skip
_means(
    ReadOnly, "it cannot write its data to disk: see its log, free space, give it permission",
    "MISCONF",
)  # fmt: skip
_means(
    AuthFailed, "check user and password in the URL, and what the user may do (ACL)",
    "NOAUTH WRONGPASS NOPERM",
    "AuthenticationError AuthorizationError NoPermissionError AuthenticationWrongNumberOfArgsError",
)  # fmt: skip
_means(
    Unavailable, "it is starting, busy or without its replicas; nothing was changed",
    "LOADING BUSY MASTERDOWN NOREPLICAS CLUSTERDOWN TRYAGAIN UNBLOCKED",
    "BusyLoadingError MasterDownError MaxClientsError ClusterDownError TryAgainError",
)  # fmt: skip
_means(
    WrongVersion, "clusters are not supported: use a server that holds all keys",
    "MOVED ASK CROSSSLOT", "MovedError AskError ClusterCrossSlotError",
)  # fmt: skip
_means(
    Damaged, "something else writes to keys that begin with seawall: ; keep them for seawall",
    "WRONGTYPE",
)  # fmt: skip


def refused(error: Exception, name: str) -> EngineError:
    """The error of a server that answered with one: the command was not carried out."""
    text = str(error)
    kind, remedy = _BY_CLASS.get(type(error).__name__) or _BY_WORD.get(text.partition(" ")[0]) or _by_text(text)
    return kind(f"{name}: {text}; {remedy}")


def _by_text(text: str) -> tuple[type[EngineError], str]:
    if "unknown command" in text.lower():
        return WrongVersion, "use Valkey, or Redis 7.0 or newer"
    if "DB index is out of range" in text:
        return EngineError, "use a smaller number of the database, or raise the server's `databases`"
    return EngineError, "see the server's log"


def is_refusal(error: BaseException) -> bool:
    """Whether the server has answered; the library makes some answers errors of the connection."""
    return any(kind.__name__ == "ResponseError" for kind in type(error).__mro__) or type(error).__name__ in _BY_CLASS


def is_unknown_script(answer: object) -> bool:
    """Whether the server has never run this script, or forgot it."""
    return type(answer).__name__ == "NoScriptError"


def not_reached(error: BaseException, name: str) -> Unavailable:
    """The error of a connection that was not opened, or broke before all was sent."""
    return Unavailable(f"{name} cannot be reached: {_text(error)}; see that it runs and can be reached")


def lost(error: BaseException, name: str) -> UnknownOutcome:
    """The error of a connection that broke, or stayed silent, after all was sent."""
    return UnknownOutcome(
        f"{name} was sent a command and its answer was lost: {_text(error)}; read the state before you decide"
    )


def _text(error: BaseException) -> str:
    return str(error) or "no answer in time"
