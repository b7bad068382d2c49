"""An error as an HTTP answer that tells the client what to do, and nothing about the inside.

Source: RFC 9457 (problem details); draft-ietf-httpapi-ratelimit-headers (problem types); RFC 9110 (Retry-After).
"""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any, NamedTuple

from seawall._errors import (
    BulkheadFull,
    CircuitOpen,
    ConfigError,
    DeadlineExceeded,
    EngineError,
    RateLimited,
    Rejected,
    RetryBudgetExhausted,
    SegmentError,
    Shed,
    Throttled,
    TimeoutExceeded,
)
from seawall.errors._classification import Kind
from seawall.errors._default import classify
from seawall.errors._retry_after import retry_after_of

_IANA = "https://iana.org/assignments/http-problem-types#"


class _Face(NamedTuple):
    """How one class of errors shows itself."""

    status: int
    slug: str
    title: str
    detail: str


_QUOTA = _Face(
    429, "quota-exceeded", "Request cannot be satisfied as assigned quota has been exceeded", "Too many calls."
)
_CAPACITY = _Face(
    503,
    "temporary-reduced-capacity",
    "Request cannot be satisfied due to temporary server capacity constraints",
    "The service is overloaded.",
)
_STANDARD = ("quota-exceeded", "temporary-reduced-capacity")
_INTERNAL = _Face(500, "internal-error", "Internal server error", "The service has failed.")
_TIMEOUT = _Face(504, "timeout", "The call took too long", "No answer was ready in time.")
_UNAVAILABLE = _Face(503, "unavailable", "Service unavailable", "Something that the service needs is not available.")

_FACES: dict[type, _Face] = {
    RateLimited: _QUOTA,
    BulkheadFull: _CAPACITY,
    Shed: _CAPACITY,
    CircuitOpen: _Face(503, "circuit-open", "A dependency is not available", "Calls to a dependency are suspended."),
    DeadlineExceeded: _Face(
        504, "deadline-exceeded", "The deadline has passed", "There was no time left for the call."
    ),
    Throttled: _Face(503, "throttled", "A dependency is overloaded", "Calls to a dependency are held back."),
    RetryBudgetExhausted: _Face(
        503, "retry-budget-exhausted", "A dependency keeps failing", "Too many calls had to be repeated."
    ),
    Rejected: _UNAVAILABLE,
    TimeoutExceeded: _TIMEOUT,
    EngineError: _UNAVAILABLE,
    ConfigError: _INTERNAL,
    SegmentError: _INTERNAL,
}
_BY_KIND = {
    Kind.timeout: _TIMEOUT,
    Kind.unavailable: _UNAVAILABLE,
    Kind.transient: _UNAVAILABLE,
    Kind.rate_limited: _UNAVAILABLE,
}


def problem(
    error: BaseException, *, instance: str | None = None, type_base: str | None = None, status: int | None = None
) -> dict[str, Any]:
    """A problem document (application/problem+json) for `error`.

    Guarantees: Nothing of the error's message, key, attributes, causes or traceback is in it: the texts are fixed. Of a
    refusal it names the policy and when to try again.

    ====================================  ======  =================================
    error                                 status  type
    ====================================  ======  =================================
    RateLimited                           429     quota-exceeded (IANA)
    BulkheadFull, Shed                    503     temporary-reduced-capacity (IANA)
    CircuitOpen, RetryBudgetExhausted     503     circuit-open, retry-budget-exhausted
    Throttled                             503     throttled
    DeadlineExceeded, TimeoutExceeded     504     deadline-exceeded, timeout
    EngineError                           503     unavailable
    ConfigError, SegmentError             500     internal-error
    any other, by its kind                504, 503 or 500
    ====================================  ======  =================================

    Args:
        error: What to tell the client about.
        instance: URI reference of this very occurrence.
        type_base: Where the types of this service are described; without it only IANA's types are named.
        status: Another status, where the edge knows better: 400 for a ConfigError that a client's value caused.
            The type and texts are then those of the status alone.

    Example:
        >>> from seawall.errors import RateLimited
        >>> found = problem(RateLimited("key-of-a-customer is at its limit", retry_after=2.5, policy="search"))
        >>> found["status"], found["detail"], found["violated-policies"], found["retry_after"]
        (429, 'Too many calls. Try again in 3 s.', ['search'], 2.5)
    """
    face = _face(error) if status is None else _bare(status)
    wait = retry_after_of(error)
    found: dict[str, Any] = {"type": _type(face, type_base), "title": face.title, "status": face.status}
    again = f" Try again in {math.ceil(wait)} s." if wait is not None else ""
    if face.detail or again:
        found["detail"] = f"{face.detail}{again}".strip()
    if instance is not None:
        found["instance"] = instance
    if wait is not None:
        found["retry_after"] = wait
    policy = getattr(error, "policy", None)
    if isinstance(error, (Rejected, TimeoutExceeded)) and policy is not None:
        found["policy"] = str(policy)
        if face.slug in _STANDARD:
            found["violated-policies"] = [str(policy)]
    return found


def problem_headers(error: BaseException) -> dict[str, str]:
    """Headers to send with `problem(error)`: Content-Type, and Retry-After in whole seconds, rounded up."""
    headers = {"Content-Type": "application/problem+json"}
    wait = retry_after_of(error)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return headers


def _face(error: BaseException) -> _Face:
    for kind in type(error).__mro__:
        if kind in _FACES:
            return _FACES[kind]
    return _BY_KIND.get(classify(error).kind, _INTERNAL)


def _bare(status: int) -> _Face:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = None
    if phrase is None or not 400 <= status <= 599:
        raise ConfigError(f"status must be an HTTP status from 400 to 599, got {status!r}")
    return _Face(status, "", phrase, "")


def _type(face: _Face, type_base: str | None) -> str:
    if face.slug in _STANDARD:
        return _IANA + face.slug
    return f"{type_base.rstrip('/')}/{face.slug}" if type_base and face.slug else "about:blank"
