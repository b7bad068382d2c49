"""A position in a trace, in and out of headers, as W3C Trace Context says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

from seawall._core.tracing import Remote
from seawall.observe.tracing._current import current_position

M = TypeVar("M", bound=MutableMapping[str, str])

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_MEMBER = re.compile(
    r"([a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MOST_MEMBERS = 32
_LONG_MEMBER = 128
_LONGEST_STATE = 512


def extract(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> Remote | None:
    """The caller's position, from the headers of a request; None when they say none, or none that is valid.

    A `tracestate` that is not valid is dropped alone.

    Args:
        headers: A mapping or pairs, of str or bytes, names in any case; a WSGI environment; an ASGI scope's headers.

    Source: W3C Trace Context, level 2, sections 3.2 and 3.3.

    Example:
        >>> caller = extract({"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
        >>> caller.trace_id, caller.sampled
        ('0af7651916cd43dd8448eb211c80319c', True)
        >>> extract({"traceparent": "nonsense"}) is None
        True
    """
    parents: list[str] = []
    states: list[str] = []
    for name, value in _pairs(headers):
        key = name.lower().removeprefix("http_")
        if key == "traceparent":
            parents.append(value)
        elif key == "tracestate":
            states.append(value)
    if len(parents) != 1:  # none, or several that cannot all be right
        return None
    return parsed(parents[0], ",".join(states))


def parsed(traceparent: str, tracestate: str = "") -> Remote | None:
    """The position that the values of the two headers say; None when it is not valid."""
    match = _PARENT.fullmatch(traceparent.strip(" \t"))
    if match is None:
        return None
    version, trace, span, flags, more = match.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    trace_id, span_id = int(trace, 16), int(span, 16)
    if trace_id == 0 or span_id == 0:
        return None
    return Remote(trace_id, span_id, int(flags, 16), state_of(tracestate))


def state_of(tracestate: str) -> str:
    """A valid `tracestate`, shortened where the standard says so, or nothing."""
    members = [member for part in tracestate.split(",") if (member := part.strip(" \t"))]
    if len(members) > _MOST_MEMBERS or not all(_MEMBER.fullmatch(member) for member in members):
        return ""
    if len({member.partition("=")[0] for member in members}) < len(members):
        return ""
    if len(",".join(members)) > _LONGEST_STATE:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    while len(",".join(members)) > _LONGEST_STATE:
        members.pop()
    return ",".join(members)


def inject(headers: M) -> M:
    """Set the headers of a request that is about to be sent to where the trace is now; without a trace, none.

    Args:
        headers: Changed, and returned.

    Example:
        >>> inject({"accept": "text/plain"})
        {'accept': 'text/plain'}
    """
    position = current_position()
    if position is None:
        return headers
    for name in [name for name in headers if isinstance(name, str) and name.lower() in ("traceparent", "tracestate")]:
        del headers[name]
    headers["traceparent"] = position.traceparent
    if position.tracestate:
        headers["tracestate"] = position.tracestate
    return headers


def _pairs(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    """Names and values that are text; what else may stand there is passed over."""
    items = headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else headers
    for item in items:
        if isinstance(item, (tuple, list)) and len(item) == 2:
            name, value = _text(item[0]), _text(item[1])
            if name is not None and value is not None:
                yield name, value


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return value.decode("latin-1") if isinstance(value, bytes) else None
