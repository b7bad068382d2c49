"""What became of a request, in words that stay the same from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seawall.measure.load._failures import OWN_FAULT, kind_of_error

# The codes of csrc/include/seawall/load/outcome.hpp.
DONE, TIMEOUT, WRONG_BODY = 0, 6, 13
FIRST_STATUS, FIRST_NAMED = 100, 600
KINDS = {
    DONE: "ok",
    1: "connection refused",
    2: "connect timeout",
    3: "dns",
    4: "unreachable",
    5: "tls",
    TIMEOUT: "timeout",
    7: "reset",
    8: "disconnected",
    9: "truncated",
    10: "bad response",
    11: OWN_FAULT,
    12: "wrong status",
    WRONG_BODY: "wrong body",
    14: "wrong size",
}
_CODES = {kind: code for code, kind in KINDS.items()}
# What can only happen before the target has answered anything at all.
UNREACHED = frozenset({"connection refused", "connect timeout", "dns", "unreachable", "tls"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one request or call. A target that is a callable may return one to say more than that it returned.

    Args:
        kind: `ok`, `2xx`, `3xx`, `status 503`, or the kind of error; a run keeps 64 kinds of its own.
        size: Bytes of the response's body that arrived.
        status: The HTTP status; None when there was no response.
        error: The error's own words; None when there was a response.
        accepted: Whether the test asked for just that status.
    """

    kind: str = "ok"
    size: int = 0
    status: int | None = None
    error: str | None = None
    accepted: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the target let the request through and answered it: a status below 400 and a whole body."""
        return self.error is None and (self.accepted or self.status is None or self.status < 400)

    @property
    def code(self) -> int | None:
        """The number of the kind; None where it has a name only."""
        if self.error is None and self.status is not None and 100 <= self.status < FIRST_NAMED:
            return self.status
        return _CODES.get(self.kind)


OK = Answer()
TIMED_OUT = Answer("timeout", error="it took longer than the timeout")


def answered(status: int, size: int) -> Answer:
    """The end of a request that got its whole response."""
    return Answer(kind_of(status), size, status)


def failed(error: BaseException, size: int = 0) -> Answer:
    """The end of a request that broke, after `size` bytes."""
    return Answer(kind_of_error(error), size, error=str(error) or type(error).__name__)


def kind_of(code: int, names: Mapping[int, str] | None = None) -> str:
    """The kind of a code: of a status its class below 400 and itself above, else its name."""
    if code < FIRST_STATUS:
        return KINDS[code]
    if code >= FIRST_NAMED:
        return (names or {}).get(code, "other errors")
    return f"{code // 100}xx" if code < 400 else f"status {code}"
