"""The page: one file without anything from elsewhere, which asks for all that it shows."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from seawall.observe.dashboard._script import SCRIPT
from seawall.observe.dashboard._state import SPANS
from seawall.observe.dashboard._style import STYLE

_NAMES = ("5 min", "1 h", "6 h", "3 d")


def page(title: str) -> str:
    """The page of a service."""
    buttons = "".join(
        f'<button value="{span:g}" aria-pressed="{"true" if span == SPANS[0] else "false"}">{name}</button>'
        for span, name in zip(SPANS, _NAMES, strict=True)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><script>{SCRIPT}</script></head><body>"
        f'<header><h1>{escape(title)}</h1><span id="overall" class="badge overall unknown" role="status">loading</span>'
        '<span class="space"></span><span id="live" class="live"><i></i><span>connecting</span></span>'
        f'<div class="spans" role="group" aria-label="Time span">{buttons}</div></header>'
        '<main><div id="body"><noscript>This page needs JavaScript to draw what it is told.</noscript></div>'
        '<div id="flame" hidden><h2>Profile</h2><div id="flameplace"><button class="open" id="openflame">'
        "Show the flame graph</button></div></div></main></body></html>"
    )


def policy() -> str:
    """What a browser lets the page do: its own style and script, and asking where it came from."""
    script = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    # Bars have their length in a style attribute, which no hash can allow.
    return (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'unsafe-inline'; connect-src 'self'; "
        "frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
    )
