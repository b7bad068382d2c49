"""Names as subjects: any text becomes tokens of letters, digits, '-', '_' and '=XX' for every other byte."""

from __future__ import annotations

import re

_OTHER = re.compile(rb"[^A-Za-z0-9_-]")
_ESCAPED = re.compile(rb"=([0-9A-F]{2})")


def token(text: str) -> str:
    """A text as one token."""
    return _OTHER.sub(lambda found: b"=%02X" % found[0][0], text.encode()).decode() or "="


def text_of(part: str) -> str:
    """The text of a token."""
    return "" if part == "=" else _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part.encode()).decode()


def path(key: str) -> str:
    """A key as tokens, one for each part between slashes, so that the server can filter by prefixes that end in one."""
    return ".".join(map(token, key.split("/")))


def key_of(tokens: str) -> str:
    """The key of tokens."""
    return "/".join(map(text_of, tokens.split(".")))


def covers(filter_: str, subject: str) -> bool:
    """Whether a filter is about a subject."""
    wanted, there = filter_.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(there) >= len(wanted) and all(map(_alike, wanted[:-1], there))
    return len(there) == len(wanted) and all(map(_alike, wanted, there))


def _alike(wanted: str, there: str) -> bool:
    return wanted in ("*", there)


def below(prefix: str) -> str:
    """The filter for all keys that may begin with a prefix."""
    head, slash, _ = prefix.rpartition("/")
    return f"{path(head)}.>" if slash else ">"
