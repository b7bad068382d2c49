"""HTML and SVG as text that cannot be broken by what it shows: everything is escaped unless it is markup already."""

from __future__ import annotations

from collections.abc import Collection
from html import escape

Attribute = str | int | float | bool | None


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | None

_VOID = frozenset({"meta", "br", "hr"})


def safe(child: Child) -> str:
    """A child as HTML: markup as it is, other text escaped, nothing for None."""
    if child is None:
        return ""
    return child if isinstance(child, Markup) else escape(_printable(child))


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element. `class_` stands for class and `a_b` for a-b; None and False leave an attribute out.

    Example:
        >>> tag("p", "a < b", class_="note")
        '<p class="note">a &lt; b</p>'
    """
    pairs = "".join(
        f' {_attribute_name(key)}="{escape(_printable(_number(value)))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{pairs}>")
    return Markup(f"<{name}{pairs}>{''.join(safe(child) for child in children)}</{name}>")


def together(*children: Child) -> Markup:
    """Several pieces as one."""
    return Markup("".join(safe(child) for child in children))


def table(head: list[str], rows: list[list[Child]], *, words: Collection[int] = (), caption: str = "") -> Markup:
    """A table whose first column names the row; it scrolls by itself where the page is narrow.

    Args:
        head: Names of the columns.
        rows: Their cells.
        words: Columns that hold words, not numbers.
        caption: What it shows, where its place does not say so.
    """
    kinds = ["words" if i in words else None for i in range(len(head))]
    top = tag("tr", *(tag("th", cell, scope="col", class_=kind) for cell, kind in zip(head, kinds, strict=True)))
    body = (_row(row, kinds) for row in rows)
    parts = (tag("caption", caption) if caption else None, tag("thead", top), tag("tbody", *body))
    # Keyboards must be able to scroll what does not fit.
    return tag("div", tag("table", *parts), class_="scroll", tabindex="0")


def _row(row: list[Child], kinds: list[str | None]) -> Markup:
    cells = (tag("td", cell, class_=kind) for cell, kind in zip(row[1:], kinds[1:], strict=True))
    return tag("tr", tag("th", row[0], scope="row", class_=kinds[0]), *cells)


def folded(title: str, *children: Child) -> Markup:
    """Something that is shown when it is asked for."""
    return tag("details", tag("summary", title), *children)


def coordinate(value: float) -> str:
    """A place in a picture, to a tenth of its unit."""
    return f"{value:.1f}".removesuffix(".0")


def _number(value: Attribute) -> str:
    return coordinate(value) if isinstance(value, float) else str(value)


def _attribute_name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _printable(text: str) -> str:
    # Control characters and lone surrogates are no characters of HTML or XML.
    return "".join(c if _allowed(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _allowed(c: str) -> bool:
    return c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\x7f\ufffe\uffff")
