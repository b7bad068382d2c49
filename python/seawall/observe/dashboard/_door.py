"""Who may look: whoever brings the token, in a header, or once in the address and then in a cookie."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from seawall.observe._access import Access

COOKIE = "seawall_dashboard"


class Door:
    """The token of a page that people open in a browser; None lets everybody in.

    Thread safety: yes. Tokens are compared in constant time and shown nowhere.

    Args:
        token: At least 16 printable ASCII characters.

    Raises:
        ConfigError: it is shorter, or no such text.
    """

    def __init__(self, token: str | None) -> None:
        self._access = Access(token, open_to_all=token is None)
        # Not the token itself: a cookie that leaks opens this page only, until the token changes.
        self.cookie = "" if token is None else hmac.new(token.encode(), b"dashboard", hashlib.sha256).hexdigest()

    @property
    def is_open(self) -> bool:
        """Whether everybody may look."""
        return self._access.open_to_all

    def allows(self, headers: Mapping[str, str]) -> bool:
        """Whether a request with these headers (names in lower case) may see the page."""
        if self._access.admits(headers.get("authorization", "")):
            return True
        return hmac.compare_digest(_cookie(headers.get("cookie", "")).encode(), self.cookie.encode())

    def opens(self, query: str) -> bool:
        """Whether the token is in the address."""
        return self._access.admits(f"Bearer {dict(parse_qsl(query)).get('token', '')}")

    def __repr__(self) -> str:
        return f"<Door {'for all' if self.is_open else 'with a token'}>"


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value
