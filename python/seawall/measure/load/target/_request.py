"""A URL as the target of a load test: what is sent, and what an answer must be."""

from __future__ import annotations

import math
import os
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from seawall.errors import ConfigError

Headers = Mapping[str, str]
Row = Mapping[str, object]
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Only ${name} is a placeholder: a plain dollar is common in bodies.
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Request:
    """A request over HTTP, sent again and again.

    Several bodies, or several sets of headers, take turns. Where the scenario has a feed, `${name}` in the URL, in a
    header or in a body that is text is replaced by that column of the feed's row; in the URL its value is
    percent-encoded, but for `/` and `:`.

    Args:
        url: An http or https URL.
        method: Sent in upper case.
        headers: By name; or a sequence of them, of which each request takes the next.
        body: Text (sent as UTF-8) or bytes; or a sequence of them, of which each request takes the next.
        status: The statuses an answer must have one of; by default any below 400.
        contains: What the body of an answer must contain, as it comes; it is compressed only if a header asks for that.
        size: The least and the most bytes that the body of an answer may have.
        verify: Whether the certificate of an https server must be a trusted one; or the file, or directory, of the
            certificates (PEM) that are trusted in place of the system's.

    Raises:
        ConfigError: A part can never be sent, or never be met.

    Example:
        >>> Request("http://127.0.0.1:8000/search?q=${word}", contains="results").method
        'GET'
    """

    url: str
    method: str = "GET"
    headers: Headers | Sequence[Headers] = field(default_factory=dict)
    body: str | bytes | Sequence[str | bytes] | None = None
    status: frozenset[int] | Sequence[int] | int | None = None
    contains: str | bytes | None = None
    size: tuple[int, int] | None = None
    verify: bool | str | os.PathLike[str] = True

    def __post_init__(self) -> None:
        check_url(self.url)
        if not isinstance(self.method, str) or not (self.method.isascii() and self.method.isalpha()):
            raise ConfigError(f"method must be a word of letters, got {self.method!r}; for example GET or POST")
        object.__setattr__(self, "method", self.method.upper())
        _check_turns("headers", self.headers, Mapping)
        for headers in self.header_sets:
            _check_headers(headers)
        _check_turns("body", self.body, (str, bytes, type(None)))
        for body in self.bodies:
            if body is not None and not isinstance(body, (str, bytes)):
                raise ConfigError(f"body must be text, bytes or a list of them, got {body!r}")
        _check_expected(self)
        _check_verify(self)

    @property
    def header_sets(self) -> tuple[Headers, ...]:
        """The headers, as the one set or the several they are."""
        return (self.headers,) if isinstance(self.headers, Mapping) else tuple(self.headers)

    @property
    def bodies(self) -> tuple[str | bytes | None, ...]:
        """The bodies, as the one or the several they are."""
        return (self.body,) if self.body is None or isinstance(self.body, (str, bytes)) else tuple(self.body)

    @property
    def placeholders(self) -> frozenset[str]:
        """The columns that a feed's row must have."""
        texts = [self.url, *(value for headers in self.header_sets for value in headers.values())]
        texts += [body for body in self.bodies if isinstance(body, str)]
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text))

    @property
    def is_template(self) -> bool:
        """Whether a feed's row fills a part of it."""
        return bool(self.placeholders)

    @property
    def secure(self) -> bool:
        """Whether it goes over TLS."""
        return urlsplit(self.url).scheme == "https"

    def over(self) -> str:
        """What it goes over, as a part of an engine's words."""
        if not self.secure:
            return ""
        return " over TLS" if self.verify is not False else " over TLS, certificates not verified"

    def trust(self) -> ssl.SSLContext:
        """What an https server's certificate is held against."""
        if isinstance(self.verify, bool):
            made = ssl.create_default_context()
            if not self.verify:
                made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            return made
        path = Path(self.verify)
        return ssl.create_default_context(capath=path) if path.is_dir() else ssl.create_default_context(cafile=path)

    def describe(self) -> str:
        """The request in a few words."""
        return f"{self.method} {self.url}"

    def variants(self) -> Iterator[Sent]:
        """Each request that takes its turn, until they repeat."""
        return (self.variant(i) for i in range(math.lcm(len(self.header_sets), len(self.bodies))))

    def variant(self, i: int) -> Sent:
        """The request that takes turn `i`."""
        sets, bodies = self.header_sets, self.bodies
        return Sent(self.url, sets[i % len(sets)], _encoded(bodies[i % len(bodies)]))

    def filled(self, i: int, row: Row) -> Sent:
        """The request that takes turn `i`, with the placeholders replaced.

        Raises:
            LookupError: The row has no such column.
        """
        sets, bodies = self.header_sets, self.bodies
        headers = {name: _fill(value, row) for name, value in sets[i % len(sets)].items()}
        body = bodies[i % len(bodies)]
        url = _PLACEHOLDER.sub(lambda found: quote(_column(row, found[1]), safe="/:"), self.url)
        return Sent(url, headers, _encoded(_fill(body, row) if isinstance(body, str) else body))

    @property
    def accepted(self) -> list[int] | None:
        """The statuses that were asked for; None where they were not."""
        return sorted(self.status) if isinstance(self.status, frozenset) else None

    def accepts(self, status: int) -> bool:
        """Whether an answer may have the status."""
        return status < 400 if self.status is None else status in self.status  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class Sent:
    """What one request sends."""

    url: str
    headers: Headers
    body: bytes | None


def check_url(target: object) -> None:
    """Raise ConfigError unless `target` is an http or https URL with a host and a port that can exist."""
    if not isinstance(target, str):
        raise ConfigError(
            f"target must be a URL, a Request, a callable or scenarios, got {target!r}; "
            "for example http://127.0.0.1:8000/"
        )
    try:
        parts = urlsplit(target)
        # urlsplit forgives spaces; no server has one in its name, and in a path they must be %20.
        clean = not any(letter.isspace() for letter in target)
        well_formed = clean and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ConfigError(
            f"target must be an http:// or https:// URL with a host, got {target!r}; for example http://127.0.0.1:8000/"
        )


def _check_turns(name: str, given: object, one: type | tuple[type, ...]) -> None:
    if not isinstance(given, one) and not (isinstance(given, Sequence) and given):
        raise ConfigError(f"{name} must be one, or a list with at least one that take turns, got {given!r}")


def _check_headers(headers: object) -> None:
    if not isinstance(headers, Mapping):
        raise ConfigError(f"headers must be names with values, got {headers!r}; for example {{'Accept': 'text/html'}}")
    for name, value in headers.items():
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise ConfigError(f"a header must have a name of letters, digits and dashes, got {name!r}")
        if not isinstance(value, str) or any(letter in value for letter in "\r\n\0"):
            raise ConfigError(f"header {name} must have a text of one line, got {value!r}")


def _check_expected(request: Request) -> None:
    status, size = request.status, request.size
    if status is not None:
        some = [status] if isinstance(status, int) else list(status)
        if not some or not all(_is_whole(one) and 100 <= one <= 599 for one in some):
            raise ConfigError(f"status must be statuses from 100 to 599, got {status!r}; for example [200, 404]")
        object.__setattr__(request, "status", frozenset(some))
    if request.contains is not None and not isinstance(request.contains, (str, bytes)):
        raise ConfigError(f"contains must be text or bytes, got {request.contains!r}")
    if size is not None and not (
        isinstance(size, Sequence) and len(size) == 2 and all(map(_is_whole, size)) and 0 <= size[0] <= size[1]
    ):
        raise ConfigError(f"size must be the least and the most bytes, got {size!r}; for example (1, 10_000)")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_verify(request: Request) -> None:
    if request.verify is True:
        return
    if not isinstance(request.verify, (bool, str, os.PathLike)):
        raise ConfigError(f"verify must be True, False or a file of certificates, got {request.verify!r}")
    if not request.secure:
        raise ConfigError(f"verify goes with an https:// URL, got {request.url!r}; leave it out")
    try:
        request.trust()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"verify must be a file or a directory of certificates in PEM, got {str(request.verify)!r}: {error}"
        ) from error


def _fill(text: str, row: Row) -> str:
    return _PLACEHOLDER.sub(lambda found: _column(row, found[1]), text)


def _column(row: Row, name: str) -> str:
    if not isinstance(row, Mapping) or name not in row:
        raise LookupError(f"the feed's row has no {name!r}: {row!r:.200}")
    return str(row[name])


def _encoded(body: str | bytes | None) -> bytes | None:
    return body.encode() if isinstance(body, str) else body
