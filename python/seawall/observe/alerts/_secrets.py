"""Keeping secrets out of what is said."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlsplit


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """A text without any of the secrets, also where they stand encoded for an address."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def parts_of(url: str) -> list[str]:
    """What may be secret in an address: all of it after the host, and who logs in."""
    split = urlsplit(url)
    found = [url, split.path.strip("/"), split.query, split.fragment, split.password, split.username]
    found += [part for part in split.path.split("/") if len(part) >= 8]
    return [each for each in found if each and len(each) >= 4]


def shown(url: str) -> str:
    """An address as far as anybody may see it: https://host/***."""
    split = urlsplit(url)
    host = split.hostname or "***"
    port = f":{split.port}" if split.port else ""
    return f"{split.scheme}://{host}{port}/***"
