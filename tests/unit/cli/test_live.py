"""What a load test under way looks like, in a terminal and in a log."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from seawall.cli._live import following, progress_line
from seawall.cli._live_view import live_view, over_time, resampled
from seawall.cli._plot import Curves, plot
from seawall.measure.load import Constant, LoadTest, Progress, Recent, Throughput

RECENT = Recent(2.0, asked=100.4, sent=99.6, succeeded=95.0, failed=4.0, p50=0.004, p90=0.008, p99=0.012, max=0.013)


def progress(**changed: object) -> Progress:
    """Half a run of ten seconds."""
    facts = {
        "elapsed": 5.0,
        "duration": 10.0,
        "planned": 500.0,
        "sent": 498,
        "completed": 490,
        "succeeded": 480,
        "under_way": 8,
        "late": 0,
        "outcomes": {"2xx": 480, "status 503": 6, "timeout": 3, "reset": 1},
        "p50": 0.005,
        "p90": 0.009,
        "p99": 0.020,
        "max": 12.0,
        "throughput": Throughput(1.0, (100.0,) * 5, (100,) * 5, (98,) * 5, (96, 96, 98, 98, 92), (0,) * 5),
        "recent": RECENT,
    }
    return Progress(**{**facts, **changed})  # type: ignore[arg-type]


def shown(view: object, width: int = 80) -> list[str]:
    """The lines of a view on a terminal without colour."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(view)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_a_run_is_one_block_of_twelve_lines_in_eighty_columns() -> None:
    """Time, rates, percentiles so far and of the last seconds, outcomes, and the plot of the whole plan."""
    view = live_view(progress(), [100.0] * 240, width=80, title="GET /")
    lines = shown(view)
    assert len(lines) == 12
    assert max(map(len, lines)) <= 80
    assert lines[:6] == [
        "GET /",
        "━" * 28 + "─" * 29 + "  5.0 of 10 s, 5 s left",
        "asked 100/s     sent 100/s     succeeded 95/s  in flight 8  late 0",
        "response time           P50          P90          P99          max",
        "so far              5.00 ms      9.00 ms     20.00 ms       12.0 s",
        "last 2.0 s          4.00 ms      8.00 ms     12.00 ms     13.00 ms",
    ]
    assert lines[6] == "ended  2xx 480 (98.0%)   status 503 6 (1.2%)   timeout 3 (0.6%)   1 other (0.2%)"
    assert lines[7].startswith("   100/s ")
    # What is still to come is asked, and nothing more.
    assert lines[7].endswith("⠉" * 35)
    assert lines[-1].startswith("       0 ✗✗")


@pytest.mark.parametrize("width", [40, 60, 132])
def test_the_block_fits_the_terminal(width: int) -> None:
    """Narrow or wide, no line is longer than the terminal, and there are as many lines."""
    lines = shown(live_view(progress(), [100.0] * 240, width=width), width)
    assert max(map(len, lines)) <= width
    assert len(lines) == 11


def test_doubts_and_phases_are_shown_as_they_arise() -> None:
    """The first doubt in a line of its own, the phase beside the time."""
    view = live_view(progress(phase="peak", doubts=("it ran out of open files", "more")), [], width=80)
    lines = shown(view)
    assert lines[0].endswith("  5.0 of 10 s, phase peak")
    assert lines[-1] == "! it ran out of open files"


def test_a_run_that_waits_for_its_last_answers_says_so() -> None:
    """After the plan nothing is due any more."""
    lines = shown(live_view(progress(elapsed=11.0), [], width=80))
    assert lines[0].endswith("━  10.0 of 10 s, waiting for answers")


def test_nothing_has_happened_yet() -> None:
    """Before the first answer there are no times."""
    empty = Throughput(1.0, (), (), (), (), ())
    early = progress(
        elapsed=0.1,
        completed=0,
        succeeded=0,
        outcomes={},
        p50=None,
        p90=None,
        p99=None,
        max=None,
        recent=None,
        throughput=empty,
    )
    lines = shown(live_view(early, [100.0] * 10, width=80))
    assert lines[3].split() == ["so", "far", "-", "-", "-", "-"]
    assert progress_line(early) == "[   0.1/10 s] succeeded=0 failed=0 in_flight=8 late=0"


def test_a_line_of_a_log_can_be_searched() -> None:
    """Names and values without a space between them; doubts at the end."""
    assert progress_line(progress(doubts=("its own delay was 9 ms",))) == (
        "[   5.0/10 s] asked=100/s sent=100/s succeeded=480 failed=10 in_flight=8 late=0 "
        "p50=5.00ms p90=9.00ms p99=20.00ms max=12.0s warning: its own delay was 9 ms"
    )


def test_a_log_gets_a_line_every_five_seconds() -> None:
    """Not one for each look."""
    console = Console(file=io.StringIO(), force_terminal=False, width=40)
    with following(console, LoadTest("http://127.0.0.1/", Constant(1), duration=20), "mine") as on_progress:
        for quarter in range(48):
            on_progress(progress(elapsed=quarter / 4, duration=20.0))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [re.match(r"\[ *([\d.]+)/20 s\] .*  mine$", line)[1] for line in lines] == ["5.0", "10.0"]  # type: ignore[index]


def test_a_terminal_is_left_clean_and_without_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves no colour in the block, and the block is gone at the end."""
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    with following(console, LoadTest("http://127.0.0.1/", Constant(1), duration=10)) as on_progress:
        on_progress(progress())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "succeeded" in text
    assert not re.search(r"\x1b\[[\d;]*3[0-7][\d;]*m", text)
    assert text.endswith("\x1b[2K")


def test_a_plot_is_an_area_under_a_line() -> None:
    """What was asked and not reached stays visible above what was; failures stand on the axis."""
    curves = Curves(asked=[4.0, 4.0, 2.0, 2.0], done=[4.0, 2.0, 0.0, 0.0], failed=[False, True, False, False], now=0.5)
    assert [line.plain for line in plot(curves, rows=2)] == [
        "     4/s █⠉⣀⣀",
        "         ██  ",
        "       0 ─✗──",
    ]
    ahead = plot(curves, rows=2)[0].spans[-1]
    assert ahead.style == "dim"


def test_rates_over_time_keep_what_they_add_up_to() -> None:
    """Whatever the width; parts that are not over are empty."""
    rates = over_time(progress(), (96, 96, 98, 98, 92), 70)
    assert sum(rates) * 10 / 70 == pytest.approx(480)
    assert rates[35:] == [0.0] * 35
    assert sum(resampled([10.0, 30.0], 10.0, 7, 10.0)) * 10 / 7 == pytest.approx(200)
