"""How one pattern of the demo looks in a terminal: both variants under each other, on one scale of time and rate."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seawall.cli.demo._round import VARIANTS, Round, Side
from seawall.cli.demo._settings import Settings
from seawall.measure import Histogram
from seawall.measure.load import Note, sparkline

WIDTH = 30
_STATES = {"closed": ("·", "dim"), "open": ("█", "red")}
_BETWEEN = ("▒", "yellow")
_TROUBLES = {"slow spell": ("slow", "yellow"), "error burst": ("err", "red")}


def round_view(one: Round, settings: Settings) -> RenderableType:
    """One pattern: what was asked, what succeeded with each variant, and when payments and breaker were in trouble."""
    span = settings.duration + settings.patience
    asked = one.pattern.over(settings.duration)
    edges = [asked.planned(span * i / WIDTH) for i in range(WIDTH + 1)]
    rates = [(after - before) * WIDTH / span for before, after in itertools.pairwise(edges)]
    # Poisson arrivals and a draining line can be above the plan.
    top = max([1.0, *rates]) * 1.1
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    for least in (8, WIDTH):
        table.add_column(no_wrap=True, min_width=least)
    for least in (10, 6, 7, 6, 6):
        table.add_column(justify="right", no_wrap=True, min_width=least)
    heads = ("succeeded", "failed", "refused", "P50", "P99")
    notes = [note for side in one.sides.values() for note in side.result.notes]
    table.add_row(Text("payments", "dim"), troubles_lane(notes, span), *(Text(head, "dim") for head in heads))
    table.add_row(Text("asked", "dim"), Text(sparkline(rates, top=top), "cyan"), Text(f"{round(max(edges)):,}", "dim"))
    for variant in VARIANTS:
        if variant in one.sides:
            table.add_row(Text(variant, "dim"), *_side(one.sides[variant], span, top))
    if "guarded" in one.sides:
        table.add_row(Text("breaker", "dim"), breaker_lane(one.sides["guarded"].result.notes, span))
    doubts = [
        Text(f"{variant}: {side.result.verdict}", "yellow")
        for variant, side in one.sides.items()
        if not side.result.verdict.valid
    ]
    return Group(Text(one.pattern.describe(), "bold"), table, *doubts, "")


def binned(interval: float, counts: Sequence[int], span: float, width: int = WIDTH) -> list[float]:
    """Counts per slice as rates of `width` equal parts of `span` seconds; a slice counts where its middle is."""
    rates = [0.0] * width
    for i, count in enumerate(counts):
        place = int((i + 0.5) * interval / span * width)
        if place < width:
            rates[place] += count * width / span
    return rates


def breaker_lane(notes: Iterable[Note], span: float, width: int = WIDTH) -> Text:
    """The breaker's state over time."""
    changes = [(note.at, note.name.removeprefix("breaker ")) for note in notes if note.name.startswith("breaker ")]
    lane = Text()
    for i in range(width):
        begin, end = span * i / width, span * (i + 1) / width
        before = [state for at, state in changes if at < begin]
        # What was open for less than a column is worth seeing, too.
        states = [before[-1] if before else "closed", *(state for at, state in changes if begin <= at < end)]
        state = "open" if "open" in states else states[-1]
        lane.append(*_STATES.get(state, _BETWEEN))
    return lane


def troubles_lane(notes: Iterable[Note], span: float, width: int = WIDTH) -> Text:
    """When payments was in trouble."""
    when = {note.name: min(int(note.at / span * width), width - 1) for note in notes if note.kind == "event"}
    lane = Text("·" * width, "dim")
    for name, (word, style) in _TROUBLES.items():
        if name in when:
            begin, end = when[name], max(when.get(f"{name} over", width), when[name] + 1)
            shown = word.center(end - begin, "─")[: end - begin]
            lane = Text.assemble(lane[:begin], (shown, style), lane[begin + len(shown) :])
    return lane


def _side(side: Side, span: float, top: float) -> list[RenderableType]:
    throughput = side.result.throughput
    rates = binned(throughput.interval, throughput.succeeded, span)
    share = side.result.succeeded / max(side.result.completed, 1)
    return [
        _goodput(rates, top),
        Text(f"{side.result.succeeded:,} ({share:.0%})", "bold"),
        Text(f"{side.failed:,}", "red" if side.failed else "dim"),
        Text(f"{side.refused:,}", "yellow" if side.refused else "dim"),
        millis(side.times, 50),
        millis(side.times, 99),
    ]


def _goodput(rates: Sequence[float], top: float) -> Text:
    # The lowest bar is for a little; nothing at all is what a collapse looks like.
    drawn = zip(rates, sparkline(rates, top=top), strict=True)
    return Text.assemble(*((bar, "green") if rate else ("·", "dim") for rate, bar in drawn))


def millis(times: Histogram, p: float) -> str:
    """A percentile in whole milliseconds."""
    return f"{times.percentile(p) * 1e3:,.0f} ms" if times.count else "-"


def summary_view(rounds: Sequence[Round], settings: Settings) -> RenderableType:
    """Both variants pattern by pattern, what the bucket promised, and a verdict in a sentence."""
    notes = [*_NOTES, *([_SHORT.format(settings.duration)] if settings.duration < _LONG_ENOUGH else [])]
    reduced = sum(side.reduced for one in rounds for side in one.sides.values())
    if reduced:
        notes.append(f"{reduced:,} of what succeeded with guards came without its optional part (fallback).")
    return Group(_table(rounds, settings), *(Text(note, "dim") for note in notes), "", _verdicts(rounds))


_LONG_ENOUGH = 3.0
_SHORT = "In runs of {:g} s an unbounded line hardly has the time to grow; 4 s show more."
_NOTES = (
    "P99: of what succeeded. let in: answered otherwise than 429.",
    "at most: what the bucket promised, burst + limit x seconds.",
    "One short run each: what differs by less than 10 % is alike.",
)


def _table(rounds: Sequence[Round], settings: Settings) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("\npattern", no_wrap=True)
    for head in ("succeeded\nplain", "\nguarded", "P99\nplain", "\nguarded", "bucket\nlet in", "\nat most", "\nkept"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in rounds:
        if not one.sides:
            continue
        sides = [one.sides.get(variant) for variant in VARIANTS]
        shares = [_share(side) for side in sides]
        times = ["-" if side is None else millis(side.times, 99) for side in sides]
        table.add_row(one.name, *shares, *times, *_promise(one.sides.get("guarded"), settings))
    return table


def _share(side: Side | None) -> str:
    return "-" if side is None else f"{side.result.succeeded / max(side.result.completed, 1):.0%}"


def _promise(side: Side | None, settings: Settings) -> list[RenderableType]:
    if side is None:
        return ["-", "-", "-"]
    kept = Text("yes", "green") if side.let_in <= side.promised(settings) else Text("no", "bold red")
    return [f"{side.let_in:,}", f"{side.promised(settings):,}", kept]


def _verdicts(rounds: Sequence[Round]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    for one in rounds:
        if one.whole:
            grid.add_row(one.name, Text(one.verdict()))
    return grid
