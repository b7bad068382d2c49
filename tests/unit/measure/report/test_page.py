"""The page: whole, self-contained, true to the numbers, and safe whatever the names are."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.results import bare, full, times

from seawall.errors import ConfigError
from seawall.measure import LoadResult, compare
from seawall.measure.load import Generator, Verdict
from seawall.measure.report import Run, _format, report
from seawall.measure.report._style import STYLE

EVIL = "</script></style><script>alert(1)</script>\"'&\x00\ud800"
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


class Page(HTMLParser):
    """Reads a page and fails where tags are not balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        """What can be read."""
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def whole() -> LoadResult:
    """A run of ten minutes with everything in it."""
    return full()


def test_every_number_of_a_run_is_on_its_page(whole: LoadResult) -> None:
    """Head, verdict, thresholds, key figures, parts, notes and the generator are there in words and tables."""
    text = Page(whole.to_html()).text
    p50, p99 = whole.response_time.percentiles([50, 99])
    for words in (
        "Load test of GET http://127.0.0.1:8000/orders",
        "sine from 80 to 400 requests/s",
        "open: requests start when the pattern says, answered or not",
        "HTTP/1.1 in Python",
        "2026-11-24T10:00:00Z",
        "10:00 min, after 20 s of warm-up",
        "poisson, seed 1",
        "2 of 3 thresholds failed; the numbers are in doubt",
        f"p99<250ms {p99 * 1e3:,.2f} ms FAILED",
        f"response time P50 {_format.seconds(p50)}",
        f"sent {whole.sent:,} of {whole.planned:,} planned",
        "dropped 2 never sent",
        f"status 503 {whole.outcomes['status 503']:,}",
        "took longer than 10 s",
        "scenario 4 HTTP/1.1 in Python 3,001 3,000 2,990 10 4 1",
        "warm-up (in no total)",
        "breaker payments : closed to open after 1 failures",
        "It ran in 2 processes, the busiest of which used 62 % of a processor.",
        "For 1 % of the run it was ready but had no processor.",
        "How to read this",
    ):
        assert words in text


def test_a_page_needs_nothing_but_itself(whole: LoadResult) -> None:
    """No address is loaded, the browser is told to refuse any, and it reads without JavaScript."""
    page = whole.to_html()
    read = Page(page)
    assert [one for one in read.attributes if one[1] in ("src", "srcset", "data", "action", "poster")] == []
    assert [one for one in read.attributes if one[0] in ("link", "img", "iframe", "object", "base", "form")] == []
    assert [value for _, name, value in read.attributes if name == "href" and not value.startswith("#run-")] == []
    assert (
        "meta",
        "content",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
    ) in read.attributes
    assert "url(" not in page
    assert "@import" not in page
    assert re.findall(r"https?://\S*", re.sub(r">[^<]*<", "><", re.sub(r"<title>.*?</title>", "", page))) == []
    without = Page(re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))
    assert without.text == read.text


def test_plots_are_well_formed_and_described(whole: LoadResult) -> None:
    """Each picture is XML by itself, has a title and a description, and stays in its frame."""
    pictures = SVG.findall(whole.to_html())
    assert len(pictures) >= 9
    for picture in pictures:
        tree = ET.fromstring(picture)
        assert tree.findtext("title")
        assert tree.findtext("desc")
        left, top, width, height = map(float, tree.attrib["viewBox"].split())
        for text in tree.iter("text"):
            assert left <= float(text.attrib["x"]) <= left + width
            assert top + 8 <= float(text.attrib["y"]) <= top + height


def test_the_values_under_the_pointer_are_those_of_the_run() -> None:
    """A plot carries its numbers: the one slice of a spike among 3,600 is in them."""
    result = full(duration=3600.0, notes=0, phases=0, scenarios=0, warmup=0.0)
    counts = list(result.throughput.sent)
    counts[1234] = 99_999
    spiked = replace(result, throughput=replace(result.throughput, sent=tuple(counts)))
    read = Page(spiked.to_html())
    plots = [json.loads(value) for _, name, value in read.attributes if name == "data-values"]
    sent = next(one for plot in plots for one in plot["series"] if one["name"] == "sent")
    assert max(sent["y"]) == 100_000  # four digits
    assert len(sent["y"]) <= 800


def test_a_run_of_ten_minutes_is_below_half_a_megabyte(whole: LoadResult) -> None:
    """Five scenarios, eight phases, sixty notes, 600 slices."""
    assert len(whole.to_html().encode()) < 512 * 1024


def test_a_run_of_a_week_stays_small() -> None:
    """600,000 slices are thinned, not drawn."""
    result = full(duration=604_800.0, rate=1.0, notes=0, phases=0, scenarios=0)
    assert len(result.to_html().encode()) < 512 * 1024


def test_ten_runs_are_below_two_megabytes_and_side_by_side() -> None:
    """Five patterns with and without guards: a grid on one scale per pattern, then run by run."""
    runs = [
        Run(name, full(duration=10.0, interval=0.2, rate=rate, scenarios=1, phases=0, notes=9, seed=i), pattern)
        for i, pattern in enumerate(("constant", "linear", "step", "spike", "sine"))
        for name, rate in (("without guards", 100.0), ("with guards", 300.0))
    ]
    page = report(runs, title="demo")
    assert len(page.encode()) < 2 * 1024 * 1024
    read = Page(page)
    assert "constant without guards: throughput" in read.text
    grid = re.findall(r'<div class="minis">.*?</div>', page, re.DOTALL)
    assert len(grid) == 5
    for row in grid:
        plots = [json.loads(value) for _, name, value in Page(row).attributes if name == "data-values"]
        assert len(plots) == 4
        # The highest y label says the scale.
        labels = [re.findall(r'class="y[^"]*">([^<]*)<', svg)[-1] for svg in SVG.findall(row)]
        assert labels[0] == labels[1]
        assert labels[2] == labels[3]
    links = [value for _, name, value in read.attributes if name == "href"]
    assert links == [f"#run-{i}" for i in range(1, 11)]
    assert {f"run-{i}" for i in range(1, 11)} <= {value for _, name, value in read.attributes if name == "id"}


def test_a_comparison_stands_above_the_runs_it_is_of() -> None:
    """Its verdict, table and doubts come first, with the names of the runs."""
    before, after = full(duration=60.0, notes=0), full(duration=60.0, notes=0, seed=2)
    found = compare(before, after)
    text = Page(report([("before", before), ("after", after)], comparison=found)).text
    assert "2 load tests of GET http://127.0.0.1:8000/orders" in text
    assert "response time before after change interval at 95 % verdict P50" in text
    assert text.index("Cannot tell Changes up to 5 % do not matter.") < text.index("Side by side")
    assert f"{found.differences[0].low:+.1%} to {found.differences[0].high:+.1%}" in text
    assert "run 1 of a: the generator was the bottleneck" in text


@pytest.mark.parametrize("several", [False, True])
def test_no_name_becomes_markup(*, several: bool) -> None:
    """Targets, patterns, errors, scenarios, phases, notes, titles and file names come from elsewhere."""
    result = full(duration=30.0, notes=4, phases=2, scenarios=2, word=EVIL)
    tricky = replace(result, first_error=EVIL, errors={EVIL: EVIL}, outcomes={EVIL: result.completed}, aborted=EVIL)
    runs = [(EVIL, tricky), Run(EVIL, tricky, EVIL)] if several else [(EVIL, tricky)]
    page = report(runs, title=EVIL)
    read = Page(page)
    assert page.count("<script") == 1
    assert "alert(1)</script>" in read.text
    assert "\x00" not in page
    page.encode("utf-8")
    for picture in SVG.findall(page):
        ET.fromstring(picture)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (bare(), "No request ended, so there are no times."),
        (bare(ended=1), "response time P50 10 ms"),
        (replace(bare(ended=3), interrupted=True), "Valid, but cut short The run was cut short after 1 s"),
        (replace(bare(ended=3), model="closed"), "The model is closed: while the target stalled"),
        (
            replace(bare(ended=3), outcomes={"connection refused": 3}, first_error="nobody there"),
            "Nothing was reached The first error: nobody there",
        ),
        (
            replace(bare(ended=3), verdict=Verdict(False, ("it ran out of files",))),
            "The generator was the bottleneck The generator was the bottleneck: it ran out of files",
        ),
        (
            replace(bare(ended=3), generator=Generator(0.97, 0.2, times([]), lost=1)),
            "It ran in one process and used 97 % of a processor. That is near what one can do: part of the times may "
            "be its own. Ask for less or use more processes. For 20 % of the run it was ready but had no processor. "
            "Other programs took it: run the generator on a quieter machine. 1 process died before the end.",
        ),
    ],
)
def test_a_run_of_which_little_is_known_is_told_as_it_is(result: LoadResult, words: str) -> None:
    """Empty fields leave their sections out; what is wrong is said in words."""
    assert words in Page(result.to_html()).text


def test_the_same_result_gives_the_same_page(whole: LoadResult, tmp_path: Path) -> None:
    """Also from a file, and the file that was asked for holds it."""
    file = tmp_path / "report.html"
    page = whole.to_html(file, title="mine")
    assert file.read_text(encoding="utf-8") == page == whole.to_html(title="mine")
    assert "<h1>mine</h1>" in page


def test_runs_must_be_results() -> None:
    """What is no run is named."""
    with pytest.raises(ConfigError) as none:
        report([])
    assert str(none.value) == "runs must be 1 to 64 pairs of a name and a LoadResult, got 0"
    with pytest.raises(ConfigError) as other:
        report([("a", 3)])  # type: ignore[list-item]
    assert str(other.value) == "runs must be pairs of a name and a LoadResult, got ('a', 3); [('before', result)]"


def _luminance(colour: str) -> float:
    full_form = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(full_form[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_lines_stand_out_from_their_ground(*, dark: bool) -> None:
    """WCAG AA: 4.5 to 1 for text, 3 to 1 for lines, in light and dark."""
    themes = re.findall(r":root\{(.*?)\}", STYLE.replace("\n", ""))
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]+)", themes[1 if dark else 0]))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((_luminance(colours[one]), _luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    texts = [
        ("ink", "ground"),
        ("soft", "ground"),
        ("soft", "card"),
        ("soft", "band"),
        ("soft", "band2"),
        ("c0", "ground"),
    ]
    texts += [(word, ground) for word in ("good", "bad", "warn") for ground in ("ground", "card")]
    texts += [("ink", ground) for ground in ("goodbg", "badbg", "warnbg")]
    assert [pair for pair in texts if contrast(*pair) < 4.5] == []
    assert [
        (f"c{i}", ground) for i in range(6) for ground in ("card", "band", "band2") if contrast(f"c{i}", ground) < 3
    ] == []
