"""A flame graph: one page that needs nothing but itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import metadata

# The same look for all pages of the house; these modules know nothing of load tests.
from seawall.measure.report import _format
from seawall.measure.report._markup import Child, Markup, table, tag, together
from seawall.measure.report._style import STYLE as COMMON
from seawall.observe.profiler import _tree
from seawall.observe.profiler._difference import Difference
from seawall.observe.profiler._page_script import SCRIPT
from seawall.observe.profiler._page_style import STYLE
from seawall.observe.profiler._profile import Profile
from seawall.observe.profiler._stack import Sort

# The browser itself refuses whatever is not in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_ROWS = 30
_SCOPES: dict[Sort, str] = {"thread": "Threads", "task": "Tasks that wait", "memory": "Memory"}
_WORDS = {
    "cpu": "processor time",
    "busy": "wall time of threads that ran meanwhile",
    "wall": "wall time, waits included",
    "space": "bytes held",
    "objects": "objects held",
}
_HINT = "Point at a bar, or tap it, to see what it is; click it to see it larger."


def page(profile: Profile, *, before: Profile | None = None, title: str = "") -> str:
    """The page.

    Guarantees: no request to anywhere when it is opened; the tables can be read without JavaScript; the same profile
    gives the same page. Names cannot become markup.

    Args:
        profile: What is drawn.
        before: An earlier one, by whose difference bars are coloured.
        title: What it says on top.
    """
    kinds = _kinds(profile)
    scopes = [sort for sort in _SCOPES if any(stack.sort == sort for stack in profile.stacks)]
    scope: Sort = scopes[0] if scopes else "thread"
    kind = _first_kind(profile, kinds, scope)
    root = _tree.tree(profile, before, [(i, off) for _, _, i, off in kinds], kind)
    nodes, names, left_out = _tree.flat(root)
    data = {
        "kinds": [{"name": name, "unit": unit} for name, unit, _, _ in kinds],
        "kind": kind,
        "scope": scope,
        "scopes": scopes,
        "names": names,
        "nodes": nodes,
        "compared": before is not None,
    }
    title = title or ("What changed between two profiles" if before is not None else "Where the time went")
    header = tag("header", tag("h1", title), tag("p", _lead(profile), class_="lead"))
    shown = together(
        _banner(profile), _tools(kinds, kind, scopes, scope), _figure(), _key(before is not None, left_out)
    )
    tables = (
        _changes(Difference(before.only(sort=scope), profile.only(sort=scope)), kinds[kind][0])
        if before is not None
        else _functions(profile, kinds[kind][0], scope)
    )
    main = tag("main", header, shown, tables, _footer())
    scripts = (tag("script", Markup(_json(data)), type="application/json", id="profile"), tag("script", Markup(SCRIPT)))
    return f"<!doctype html>\n{tag('html', _head(title), tag('body', main, *scripts), lang='en')}\n"


_Kind = tuple[str, str, int, int | None]


def _kinds(profile: Profile) -> list[_Kind]:
    """What the page can show: name, unit, which number of a stack, and which one is taken off."""
    places = {kind.name: i for i, kind in enumerate(profile.kinds)}
    units = {kind.name: kind.unit for kind in profile.kinds}
    shown: list[_Kind] = [
        (name, units[name], i, None) for name, i in places.items() if name not in ("samples", "waiting")
    ]
    if "wall" in places and "waiting" in places:
        shown.append(("busy", units["wall"], places["wall"], places["waiting"]))
    order = ["cpu", "busy", "wall", "space"]
    shown.sort(key=lambda kind: order.index(kind[0]) if kind[0] in order else len(order))
    return shown or [(name, units[name], i, None) for name, i in places.items()]


def _first_kind(profile: Profile, kinds: list[_Kind], scope: Sort) -> int:
    for i, (_, _, place, off) in enumerate(kinds):
        part = (v[place] - (v[off] if off is not None else 0) for s, v in profile.stacks.items() if s.sort == scope)
        if any(value > 0 for value in part):
            return i
    return 0


def _lead(profile: Profile) -> str:
    sampling = profile.sampling
    words = [f"{_format.seconds(profile.seconds)}"] if profile.seconds else []
    if sampling is not None and sampling.samples:
        words += [f"{sampling.samples:,} samples", f"{_format.share(sampling.overhead)} of a processor spent on them"]
    if profile.began:
        words.append(datetime.fromtimestamp(profile.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))
    return " · ".join([*words, f"{len(profile.stacks):,} stacks"])


def _banner(profile: Profile) -> Markup | None:
    doubts = profile.sampling.doubts() if profile.sampling is not None else []
    if not doubts:
        return None
    return tag("div", *(tag("p", doubt) for doubt in doubts), class_="banner warn", role="status")


def _tools(kinds: list[_Kind], kind: int, scopes: list[Sort], scope: Sort) -> Markup:
    by_scope = [
        tag("button", _SCOPES[one], type="button", data_scope=one, aria_pressed=_flag(one == scope)) for one in scopes
    ]
    by_kind = [
        tag("button", name, type="button", data_kind=str(i), aria_pressed=_flag(i == kind), title=_WORDS.get(name))
        for i, (name, _, _, _) in enumerate(kinds)
    ]
    return tag(
        "div",
        tag("div", *by_scope, class_="choice", role="group", aria_label="what") if len(scopes) > 1 else None,
        tag("div", *by_kind, class_="choice", role="group", aria_label="counted by") if len(kinds) > 1 else None,
        tag("button", "Whole", type="button", data_reset="1", disabled=True),
        _search(),
        tag("span", class_="found", aria_live="polite"),
        class_="bar-of-tools",
    )


def _search() -> Markup:
    made = tag("input", type="search", placeholder="Find a function or file", aria_label="Find a function or file")
    return Markup(made.removesuffix("</input>"))


def _figure() -> Markup:
    picture = tag("svg", tabindex="0", role="application", aria_label="Flame graph; arrow keys move, Enter enlarges")
    without = tag("noscript", tag("p", "The graph needs JavaScript; the table below does not."))
    detail = tag("div", _HINT, class_="detail", data_empty=_HINT, aria_live="polite")
    return together(tag("figure", picture, without, class_="flame"), detail)


def _key(compared: bool, left_out: int) -> Markup:
    if compared:
        named = (("kmore", "more than before"), ("kless", "less than before"), ("k2", "much the same"))
    else:
        named = (("k0", "own code"), ("k1", "libraries"), ("k2", "Python itself"))
    items = [tag("li", tag("i", class_=style), name) for style, name in named]
    if left_out:
        items.append(tag("li", f"{left_out:,} bars too small to see are left out"))
    return tag("ul", *items, class_="key")


def _functions(profile: Profile, kind: str, scope: Sort) -> Markup:
    part = profile.only(sort=scope, busy=kind == "busy")
    by = "wall" if kind == "busy" else kind
    unit = part.kinds[part.index(by)].unit
    whole = part.total(by)
    rows: list[list[Child]] = [
        [
            one.function,
            _where(one.file, one.line),
            told(one.self_value, unit),
            _format.share(one.self_value / whole),
            told(one.total, unit),
            _format.share(one.total / whole),
        ]
        for one in part.top(_ROWS, by)
    ]
    caption = f"{_SCOPES[scope]}: {_WORDS.get(kind, kind)}. A function's total has what it called in it."
    head = ["function", "where", "by itself", "", "total", ""]
    return together(tag("h2", "Functions"), table(head, rows, words=(1,), caption=caption))


def _changes(difference: Difference, kind: str) -> Markup:
    by = "wall" if kind == "busy" else kind
    unit = difference.after.kinds[difference.after.index(by)].unit
    each = "of each second" if unit == "nanoseconds" else ""
    rows: list[list[Child]] = [
        [
            one.function,
            _where(one.file, one.line),
            told(one.before, unit),
            told(one.after, unit),
            ("+" if one.change > 0 else "\N{MINUS SIGN}") + told(abs(one.change), unit),
        ]
        for one in difference.changes(_ROWS, by)
    ]
    caption = f"What functions took by themselves {each}: {_WORDS.get(by, by)}".replace(" :", ":")
    head = ["function", "where", "before", "after", "change"]
    return together(tag("h2", "Changes"), table(head, rows, words=(1,), caption=caption))


def told(value: float, unit: str) -> str:
    """A number of a profile in its unit, for people."""
    if unit == "nanoseconds":
        return _format.seconds(value / 1e9)
    return _format.size(value) if unit == "bytes" else f"{value:,.0f}"


def _where(file: str, line: int) -> str:
    return f"{_tree.short(file)}:{line}" if file else ""


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _json(data: object) -> str:
    # No text of a script element may end it.
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _head(title: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", title),
        tag("style", Markup(COMMON + STYLE)),
    )


def _footer() -> Markup:
    version = metadata.version("seawall")
    return tag("footer", f"Drawn by seawall {version}. Click enlarges, Escape shows the whole, / finds.")
