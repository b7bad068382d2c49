"""The page: whole, self-contained, true to the numbers, and safe whatever the names are."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from tests.unit.observe.profiler.made import HOT, MAIN, profile, stack

from seawall.observe.profiler import Frame, Profile, Sampling
from seawall.observe.profiler._page_style import STYLE
from seawall.observe.profiler._stack import OBJECTS, SAMPLES, SPACE, WALL
from seawall.observe.profiler._tree import origin, short

EVIL = "</script></style><script>alert(1)</script><!--\"'&\x00\ud800"
VOID = ("meta", "br", "hr", "input")


class Page(HTMLParser):
    """Reads a page and fails where tags are not balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.scripts = 0
        self.data = ""
        self._data = False
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.scripts += tag == "script"
        self._data = ("id", "profile") in attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._data:
            self.data += data
            self._data = False
        elif not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_needs_nothing_but_itself() -> None:
    """No address of anything else, and the browser is told to refuse whatever there might be."""
    text = profile().to_html()
    page = Page(text)
    assert not [one for one in page.attributes if one[1] in ("src", "href", "action")]
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", text)
    policies = [value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"]
    assert len(text) < 40_000


def test_the_tables_can_be_read_without_javascript() -> None:
    """The functions that took most stand in a table."""
    text = Page(profile().to_html(title="Shop at noon")).text
    assert "Shop at noon 2 s · 200 samples · 0.5 % of a processor spent on them · 2023-11-14 22:13:20 UTC" in text
    assert "Shop.price /srv/shop.py:30 1.4 s 93.3 % 1.4 s 93.3 %" in text


def test_names_cannot_become_markup() -> None:
    """Names of functions, files, threads and the title are only ever text."""
    evil = Profile((SAMPLES, WALL), {stack(Frame(EVIL, EVIL, 1, 1), group=EVIL): (1, 10)}, seconds=1.0)
    text = evil.to_html(title=EVIL)
    page = Page(text)
    assert page.scripts == 2
    assert "alert(1)" in page.text
    assert json.loads(page.data)["names"][2][0] == EVIL
    text.encode()


def test_bars_have_the_numbers_of_the_profile() -> None:
    """Each bar's number is its own and all below it, for each kind that can be chosen."""
    data = json.loads(Page(profile().to_html()).data)
    assert [kind["name"] for kind in data["kinds"]] == ["cpu", "busy", "wall"]
    bars = {data["names"][node["n"]][0]: node for node in data["nodes"]}
    assert bars["MainThread"]["v"] == [1_500_000_000, 1_600_000_000, 2_000_000_000]
    assert bars["Shop.price"]["v"] == [1_400_000_000, 1_500_000_000, 1_500_000_000]
    assert bars["Shop.price"]["l"] == [[31, 1_400_000_000]]
    assert all(node["p"] < i for i, node in enumerate(data["nodes"]))
    assert (data["scope"], data["scopes"], data["compared"]) == ("thread", ["thread", "task"], False)


def test_what_is_too_small_to_see_is_left_out_and_said() -> None:
    """A page of a hundred thousand stacks stays a page, and its totals stay whole."""
    stacks = {stack(MAIN, Frame(f"small {i}", "s.py", i, i)): (1, 1, 1, 0) for i in range(30_000)}
    stacks[stack(MAIN, HOT)] = (100_000,) * 3 + (0,)
    big = Profile(profile().kinds, stacks, seconds=1.0)
    text = big.to_html()
    data = json.loads(Page(text).data)
    assert len(data["nodes"]) == 4
    assert data["nodes"][0]["v"] == [130_000] * 3
    assert "30,000 bars too small to see are left out" in text


def test_bars_are_never_more_than_a_browser_can_draw() -> None:
    """Where everything is equally small, more is left out."""
    groups = {stack(Frame(f"f{i}"), group=f"g{i % 100}"): (1 + i % 2, 1 + i % 2) for i in range(4_000)}
    data = json.loads(Page(Profile((SAMPLES, WALL), groups, seconds=1.0).to_html()).data)
    assert len(data["nodes"]) <= 20_000


def test_a_difference_has_both_sides() -> None:
    """Bars carry what they took before, scaled to the same time."""
    page = Page(profile(4.0).diff(profile(2.0)).to_html())
    data = json.loads(page.data)
    bars = {data["names"][node["n"]][0]: node for node in data["nodes"]}
    assert data["compared"]
    assert bars["Shop.price"]["b"] == [2_800_000_000, 3_000_000_000, 3_000_000_000]
    assert "Shop.price /srv/shop.py:30 700 ms 350 ms \N{MINUS SIGN}350 ms" in page.text


def test_doubts_stand_above_the_graph() -> None:
    """A reader sees that the profiler was held back."""
    held = Profile((SAMPLES, WALL), {}, 0.0, 1.0, Sampling(rate=100, samples=10, seconds=1.0, held_back=9, spent=0.01))
    assert "Sampled 10 times a second instead of 100" in Page(held.to_html()).text


def test_memory_is_drawn_in_bytes() -> None:
    """A profile of memory shows what is held."""
    page = Page(Profile((OBJECTS, SPACE), {stack(MAIN, sort="memory", group="memory"): (2, 2048)}).to_html())
    assert "main /srv/app.py:8 2 KiB 100 %" in page.text


def test_colours_tell_whose_code_it_is() -> None:
    """Own code, libraries, Python itself."""
    assert [origin(f) for f in ("/srv/app.py", "/x/site-packages/y/z.py", json.__file__, "", "<frozen os>")] == [
        0,
        1,
        2,
        2,
        2,
    ]
    assert short("/x/site-packages/y/z.py") == "y/z.py"
    assert short(json.__file__) == "json/__init__.py"
    assert short("/srv/app.py") == "/srv/app.py"


def luminance(colour: str) -> float:
    """As WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_names_can_be_read_on_their_bars() -> None:
    """Contrast of at least 4.5 to 1 (WCAG AA), light and dark, found or not."""
    light, dark = STYLE.split("@media (prefers-color-scheme:dark)")
    for part, ink in ((light, "#1b2127"), (dark, "#e6eaef")):
        for name, colour in re.findall(r"--(o\d\w?|hit):(#\w{6})", part):
            a, b = sorted((luminance(ink), luminance(colour)), reverse=True)
            assert (a + 0.05) / (b + 0.05) >= 4.5, name
