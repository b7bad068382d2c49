"""Takes secrets out of texts that others wrote, such as messages of client libraries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
LONGEST = 500
_NAMES = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key(?:[-_]?id)?|private[-_]?key|"
    r"client[-_]?secret|credentials?|auth(?:entication|orization)?|signature|sig|session(?:[-_]?id)?|cookie|dsn)"
)
# user:password@ of any URL; the password may hold anything but a space, also more of "@" and "/".
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.\-]*://)[^\s'\"<>]*@(?=[^\s'\"<>@]*)", re.IGNORECASE)
_PAIR = re.compile(
    rf"(?P<name>[\w\-]*{_NAMES}[\w\-]*['\"]?\s*(?:=>|[=:])\s*)"
    r"(?P<value>(?:basic|bearer|digest|token)\s+[^\s,;'\"]+|'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[^\s,;&)\]}]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(?P<name>(?:basic|bearer|digest)\s+)(?P<value>[A-Za-z0-9+/_.~\-]{8,}=*)", re.IGNORECASE)


class Scrubber:
    """Replaces what is or looks like a secret by `***`, and bounds the length.

    What looks like one: user and password of any URL, whatever is assigned to a name with password, token, secret, key
    and the like in it (`password=...`, `"token": "..."`, `?sig=...`), and credentials of HTTP. A secret that looks like
    none must be named.

    Args:
        secrets: What is secret; also found as URLs quote it. Values of less than 4 characters are left out: they would
            be found in everything.
    """

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= 4}
        # The longest first: one may be a part of another.
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """The text as anybody may see it, on one line."""
        text = text[: 20 * LONGEST]
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _URL.sub(rf"\g<scheme>{HIDDEN}@", text)
        text = _PAIR.sub(rf"\g<name>{HIDDEN}", text)
        text = " ".join(_SCHEME.sub(rf"\g<name>{HIDDEN}", text).split())
        return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), quote(secret), quote_plus(secret), unquote(secret), repr(secret)[1:-1]


def error_text(error: BaseException) -> str:
    """What an error says, with the name of its type; a broken `__str__` is survived."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - foreign code, and the page must come all the same
        said = "(its text cannot be shown)"
    kind = type(error).__name__
    return f"{kind}: {said}" if said else kind
