"""What statuses mean: HTTP numbers and gRPC names.

Source: RFC 9110 section 15, RFC 6585, RFC 8470; gRPC "Status codes and their use in gRPC".
"""

from __future__ import annotations

from typing import Any

from seawall._errors import ConfigError
from seawall.errors._classification import Advice, Classification, Kind, Severity, classification

_HTTP = {
    401: Kind.denied,
    402: Kind.denied,
    403: Kind.denied,
    407: Kind.denied,
    408: Kind.timeout,
    423: Kind.transient,
    425: Kind.transient,
    429: Kind.rate_limited,
    451: Kind.denied,
    499: Kind.cancelled,
    501: Kind.invalid,
    503: Kind.unavailable,
    504: Kind.timeout,
    505: Kind.invalid,
    507: Kind.unavailable,
    511: Kind.denied,
    522: Kind.timeout,
    524: Kind.timeout,
    529: Kind.unavailable,
    598: Kind.timeout,
}
_GRPC = {
    "OK": classification(Kind.success),
    "CANCELLED": classification(Kind.cancelled),
    "UNKNOWN": classification(Kind.unknown),
    "INVALID_ARGUMENT": classification(Kind.invalid),
    "DEADLINE_EXCEEDED": classification(Kind.timeout),
    "NOT_FOUND": classification(Kind.invalid),
    "ALREADY_EXISTS": classification(Kind.invalid),
    "PERMISSION_DENIED": classification(Kind.denied),
    "RESOURCE_EXHAUSTED": classification(Kind.rate_limited),
    "FAILED_PRECONDITION": classification(Kind.invalid),
    "ABORTED": classification(Kind.transient),
    "OUT_OF_RANGE": classification(Kind.invalid),
    "UNIMPLEMENTED": classification(Kind.invalid),
    "INTERNAL": classification(Kind.unknown),
    "UNAVAILABLE": classification(Kind.unavailable),
    "DATA_LOSS": classification(Kind.unknown, Severity.critical, Advice.escalate),
    "UNAUTHENTICATED": classification(Kind.denied),
}


def by_http(status: int) -> Classification:
    """What an HTTP status means.

    Raises:
        ConfigError: It is not 100 to 599.
    """
    if not is_http(status):
        raise ConfigError(f"an HTTP status must be 100 to 599, got {status!r}")
    if status in _HTTP:
        return classification(_HTTP[status])
    if status < 400:
        return classification(Kind.success)
    return classification(Kind.invalid if status < 500 else Kind.transient)


def by_grpc(name: str) -> Classification:
    """What a gRPC status means, by its name.

    Raises:
        ConfigError: There is no such status.
    """
    known = _GRPC.get(name.upper())
    if known is None:
        raise ConfigError(f"a gRPC status must be one of {', '.join(_GRPC)}, got {name!r}")
    return known


def is_http(status: object) -> bool:
    """Whether `status` can be an HTTP status."""
    return isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599


def status_of(thing: Any) -> Classification | None:
    """What the status that an object carries means; None when it carries none.

    Looked at, in this order: a gRPC StatusCode itself, `code()` (gRPC), `status_code`, `status`,
    `response.status_code`, `response.status`, `response["ResponseMetadata"]["HTTPStatusCode"]` (botocore), `code`
    (urllib).
    """
    if type(thing).__qualname__ == "StatusCode" and str(attribute(thing, "name")).upper() in _GRPC:
        return by_grpc(str(thing.name))
    code = attribute(thing, "code")
    if callable(code) and not isinstance(code, type):
        # Code of others: what it raises must not hide the error that is being classified.
        try:
            name = attribute(code(), "name")
        except Exception:  # noqa: BLE001
            name = None
        if isinstance(name, str) and name.upper() in _GRPC:
            return by_grpc(name)
    response = attribute(thing, "response")
    found = (
        attribute(thing, "status_code"),
        attribute(thing, "status"),
        attribute(response, "status_code"),
        attribute(response, "status"),
        _botocore(response),
        code,
    )
    for status in found:
        if is_http(status):
            return by_http(int(status))
    return None


def _botocore(response: Any) -> Any:
    metadata = response.get("ResponseMetadata") if isinstance(response, dict) else None
    return metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None


def attribute(thing: Any, name: str) -> Any:
    """An attribute of a foreign object, None where there is none or its property fails."""
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001 - properties of foreign errors raise all sorts of things
        return None
