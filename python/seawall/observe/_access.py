"""Who may see a page: whoever sends its token as `Authorization: Bearer`."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

from seawall.errors import ConfigError

_LEAST = 16
_WORD = re.compile("[!-~]+")


class Access:
    """Compares tokens in a time that does not tell how much of one was right.

    Args:
        token: One, several, or None for a page that nobody sees.
        open_to_all: Let everybody in.

    Raises:
        ConfigError: a token is too short, or no header can hold it. It is not shown.
    """

    __slots__ = ("open_to_all", "tokens")

    def __init__(self, token: str | Iterable[str] | None, *, open_to_all: bool) -> None:
        tokens = () if token is None else (token,) if isinstance(token, str) else tuple(token)
        for each in tokens:
            if not isinstance(each, str) or len(each) < _LEAST or not _WORD.fullmatch(each):
                raise ConfigError(
                    f"token must be at least {_LEAST} printable ASCII characters without spaces; "
                    "python -c 'import secrets; print(secrets.token_urlsafe())' makes one"
                )
        self.tokens = tokens
        self.open_to_all = open_to_all

    @property
    def possible(self) -> bool:
        """Whether anybody can be let in."""
        return self.open_to_all or bool(self.tokens)

    def admits(self, authorization: str) -> bool:
        """Whether the value of an Authorization header lets its sender in."""
        if self.open_to_all:
            return True
        scheme, _, shown = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        given = shown.strip().encode("utf-8", "surrogateescape")
        # Every one is compared, so that the time tells nothing of which.
        matches = [hmac.compare_digest(given, token.encode()) for token in self.tokens]
        return any(matches)

    def __repr__(self) -> str:
        return f"<Access: {'everybody' if self.open_to_all else f'{len(self.tokens)} tokens'}>"
