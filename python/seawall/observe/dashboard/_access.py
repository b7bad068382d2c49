"""Who may look: whoever brings the token, in a header, or once in the address and then in a cookie."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from seawall.errors import ConfigError

COOKIE = "seawall_dashboard"
_SHORTEST = 12


class Access:
    """The token of a page; None lets everybody in.

    Thread safety: yes. Tokens are compared in constant time and shown nowhere.

    Args:
        token: At least 12 characters.

    Raises:
        ConfigError: it is shorter, or no text.
    """

    def __init__(self, token: str | None) -> None:
        if token is not None and (not isinstance(token, str) or len(token) < _SHORTEST):
            raise ConfigError(
                f"token must be text of at least {_SHORTEST} characters, such as secrets.token_urlsafe() makes; "
                "what was given is not shown"
            )
        self._token = None if token is None else token.encode()
        # Not the token itself: a cookie that leaks opens this page only, until the token changes.
        self.cookie = "" if token is None else hmac.new(token.encode(), b"dashboard", hashlib.sha256).hexdigest()

    def allows(self, headers: Mapping[str, str]) -> bool:
        """Whether a request with these headers (names in lower case) may see the page."""
        if self._token is None:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token):
            return True
        return hmac.compare_digest(_cookie(headers.get("cookie", "")).encode(), self.cookie.encode())

    def opens(self, query: str) -> bool:
        """Whether the token is in the address."""
        given = dict(parse_qsl(query)).get("token")
        return self._token is not None and given is not None and hmac.compare_digest(given.encode(), self._token)

    def __repr__(self) -> str:
        return f"<Access {'for all' if self._token is None else 'with a token'}>"


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value
