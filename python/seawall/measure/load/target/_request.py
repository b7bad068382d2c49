"""A URL as the target of a load test: what is sent, and what an answer must be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from seawall.errors import ConfigError

Headers = Mapping[str, str]
Row = Mapping[str, object]
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Only ${name} is a placeholder: a plain dollar is common in bodies.
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Request:
    """A request over HTTP, sent again and again.

    Several bodies, or several sets of headers, take turns. Where the scenario has a feed, `${name}` in the URL, a
    header or a body is replaced by that column of the feed's row.

    Args:
        url: An http or https URL.
        method: Sent in upper case.
        headers: By name; or a sequence of them, of which each request takes the next.
        body: Text (sent as UTF-8) or bytes; or a sequence of them, of which each request takes the next.
        status: The statuses an answer must have one of; by default any below 400.
        contains: What the body of an answer must contain.
        size: The least and the most bytes that the body of an answer may have.

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
    status: frozenset[int] | Sequence[int] | None = None
    contains: str | bytes | None = None
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        check_url(self.url)
        if not isinstance(self.method, str) or not self.method.isalpha():
            raise ConfigError(f"method must be a word of letters, got {self.method!r}; for example GET or POST")
        object.__setattr__(self, "method", self.method.upper())
        for headers in self.header_sets:
            _check_headers(headers)
        for body in self.bodies:
            if body is not None and not isinstance(body, (str, bytes)):
                raise ConfigError(f"body must be text, bytes or a list of them, got {body!r}")
        _check_expected(self)

    @property
    def header_sets(self) -> tuple[Headers, ...]:
        """The headers, as the one set or the several they are."""
        return (self.headers,) if isinstance(self.headers, Mapping) else tuple(self.headers) or ({},)

    @property
    def bodies(self) -> tuple[str | bytes | None, ...]:
        """The bodies, as the one or the several they are."""
        if self.body is None or isinstance(self.body, (str, bytes)):
            return (self.body,)
        return tuple(self.body) or (None,)

    @property
    def is_template(self) -> bool:
        """Whether a feed's row fills a part of it."""
        texts = [self.url, *(value for headers in self.header_sets for value in headers.values())]
        texts += [body for body in self.bodies if isinstance(body, str)]
        return any(_PLACEHOLDER.search(text) for text in texts)

    @property
    def secure(self) -> bool:
        """Whether it goes over TLS."""
        return urlsplit(self.url).scheme == "https"

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
            KeyError: The row has no such column.
        """
        sets, bodies = self.header_sets, self.bodies
        headers = {name: _fill(value, row) for name, value in sets[i % len(sets)].items()}
        body = bodies[i % len(bodies)]
        return Sent(_fill(self.url, row), headers, _encoded(_fill(body, row) if isinstance(body, str) else body))

    def accepts(self, status: int) -> bool:
        """Whether an answer may have the status."""
        return status < 400 if self.status is None else status in self.status


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


def _check_headers(headers: object) -> None:
    if not isinstance(headers, Mapping):
        raise ConfigError(f"headers must be names with values, got {headers!r}; for example {{'Accept': 'text/html'}}")
    for name, value in headers.items():
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise ConfigError(f"a header must have a name of letters, digits and dashes, got {name!r}")
        if not isinstance(value, str) or any(letter in value for letter in "\r\n\0"):
            raise ConfigError(f"header {name} must have a text of one line, got {value!r}")


def _check_expected(request: Request) -> None:
    if request.status is not None:
        wrong = [one for one in request.status if not isinstance(one, int) or not 100 <= one <= 599]
        if wrong or not request.status:
            raise ConfigError(
                f"status must be statuses from 100 to 599, got {request.status!r}; for example [200, 404]"
            )
        object.__setattr__(request, "status", frozenset(request.status))
    if request.contains is not None and not isinstance(request.contains, (str, bytes)):
        raise ConfigError(f"contains must be text or bytes, got {request.contains!r}")
    if request.size is not None and not 0 <= request.size[0] <= request.size[1]:
        raise ConfigError(f"size must be the least and the most bytes, got {request.size!r}; for example (1, 10_000)")


def _fill(text: str, row: Row) -> str:
    return _PLACEHOLDER.sub(lambda found: str(row[found[1]]), text)


def _encoded(body: str | bytes | None) -> bytes | None:
    return body.encode() if isinstance(body, str) else body
