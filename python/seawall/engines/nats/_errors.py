"""What errors of the server and of the connection mean."""

from __future__ import annotations

from seawall.errors import AuthFailed, Damaged, EngineError, Full, Unavailable, UnknownOutcome, WrongVersion

OLDEST = (2, 12)
NO_MESSAGE, NO_SEQUENCE, NO_STREAM, OTHER_STREAM, NO_CONSUMER = 10037, 10043, 10059, 10058, 10014
# The second is of a cluster: a message that is on its way to the copies is in the way.
WRONG_LAST, ON_ITS_WAY = 10071, 10164
# Source: https://github.com/nats-io/nats-server/blob/main/server/errors.json
_MEANS: dict[int, tuple[type[EngineError], str]] = {
    **dict.fromkeys(
        (10002, 10023, 10028, 10047),
        (Full, "raise max_file_store (or the account's limits), or delete what is not needed; nothing was changed"),
    ),
    **dict.fromkeys((10026, 10027), (Full, "raise max_consumers and max_streams of the account; nothing was changed")),
    **dict.fromkeys((10039, 10076), (EngineError, "enable JetStream there, for this account, too")),
    **dict.fromkeys(
        (10005, 10008, 10009, 10118, 10163, 10176),
        (Unavailable, "it is starting, looking for a leader, or without a majority; nothing was changed"),
    ),
    **dict.fromkeys((10167, 10210), (Unavailable, "others ask for too much at once; nothing was changed")),
    NO_STREAM: (Unavailable, "its stream is gone and is made anew"),
    NO_CONSUMER: (Unavailable, "the consumer is gone and is made anew"),
    10065: (EngineError, "another stream has these subjects: leave seawall.> to seawall"),
    10074: (EngineError, "open it with replicas=1, or use a cluster with so many servers"),
    10185: (WrongVersion, "use NATS 2.12 or newer"),
}


class Refused(Exception):
    """The server has answered with an error; nothing was changed by this request."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Lost(Exception):
    """The connection ended before the answer came."""


class NobodyThere(Exception):
    """Nobody listens for this: no such stream, or no JetStream."""


class Denied(Exception):
    """This user may not."""


class TooLarge(Exception):
    """More than the server takes in one message."""


def translated(error: Refused, name: str) -> EngineError:
    """The error of a server that has answered with one."""
    text = str(error)
    kind, remedy = _MEANS.get(error.code) or _by_text(text)
    return kind(f"{name}: {text}; {remedy}")


def _by_text(text: str) -> tuple[type[EngineError], str]:
    low = text.lower()
    if any(words in low for words in ("insufficient", "exceeded", "no space")):
        return Full, "raise the server's limits or free space; nothing was changed"
    return EngineError, "see the server's log"


def not_reached(text: str, name: str) -> EngineError:
    """The error of a connection that could not be opened."""
    low = text.lower()
    if "authorization" in low or "authentication" in low or "user jwt" in low:
        return AuthFailed(f"{name}: {text}; check user and password in the URL, or token, creds and nkey")
    return Unavailable(f"{name} cannot be reached: {text or 'no answer in time'}; see that it runs and can be reached")


def not_known(text: str, name: str) -> UnknownOutcome:
    """The error of a change whose answer was lost."""
    return UnknownOutcome(f"{name} was sent a change and its answer was lost: {text}; read the state before you decide")


def no_answer(text: str, name: str) -> Unavailable:
    """The error of a question whose answer was lost."""
    return Unavailable(f"{name} did not answer: {text}; nothing was changed")


def no_jetstream(name: str) -> EngineError:
    """The error of a server without JetStream."""
    return EngineError(
        f"{name} has no JetStream for this account; start it with a jetstream block in its configuration"
    )


def too_old(version: str, name: str) -> WrongVersion:
    """The error of an old server."""
    return WrongVersion(f"{name} is NATS {version}; use NATS {OLDEST[0]}.{OLDEST[1]} or newer")


def denied(text: str, name: str) -> AuthFailed:
    """The error of a user with too few rights."""
    return AuthFailed(
        f"{name}: {text}; allow this user to publish to seawall.> and $JS.API.>, and to subscribe to _INBOX.>"
    )


def unusable(stream: str, why: str, name: str) -> Damaged:
    """The error of a stream that cannot keep what is asked of it."""
    return Damaged(f"{name}: stream {stream} has {why}; correct it with `nats stream edit`, or use another namespace")
