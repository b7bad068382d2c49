"""`seawall demo`: a limited service, five shapes of load, and what came through."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click
from rich.console import Console

from seawall.cli._demo_view import Round, round_view, summary_view
from seawall.cli._live import following
from seawall.cli._load import INTERRUPTED, UNREACHABLE
from seawall.cli._process import running
from seawall.cli._view import WIDTH
from seawall.cli._words import Duration, usage_errors
from seawall.errors import SeawallError
from seawall.measure.load import Constant, Linear, LoadTest, Pattern, Sine, Spike, Step, parse


@dataclass(frozen=True, slots=True)
class Settings:
    """What the demo's service promises and what it is asked for."""

    limit: float
    burst: int
    low: float
    high: float
    duration: float


@click.command()
@click.option("--duration", type=Duration(), default="4s", show_default=True, help="Length of each pattern.")
@click.option("--rate", default="20:200", show_default=True, help="Lowest and highest requests a second.")
@click.option(
    "--limit", type=float, default=100.0, show_default=True, help="Requests a second the service lets through."
)
@click.option(
    "--burst", type=click.IntRange(1), default=20, show_default=True, help="Requests it lets through at once."
)
def demo(duration: float, rate: str, limit: float, burst: int) -> None:
    """Run five patterns of load against a small service behind a token bucket, all on this machine."""
    console = Console()
    with usage_errors():
        low, high = _ends(rate, duration)
        settings = Settings(limit, burst, low, high, duration)
        tests = [_test("http://127.0.0.1/", pattern, settings) for pattern in patterns(settings)]
    console.print(
        f"a service on 127.0.0.1 behind TokenBucket({limit:g}, burst={burst}): "
        f"{limit:g} requests a second, {burst} at once; {len(tests)} patterns of {duration:g} s each\n",
        highlight=False,
    )
    try:
        with running(limit, burst) as url:
            rounds = _rounds(console, url, settings)
    except SeawallError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        # Between two patterns there is nothing to print that is not on the screen already.
        sys.exit(INTERRUPTED)
    sys.exit(_finish(console, settings, rounds))


def patterns(settings: Settings) -> list[Pattern]:
    """The five patterns between the two rates; the constant one at three quarters of the way up."""
    low, high = settings.low, settings.high
    return [Constant(low + (high - low) * 3 / 4), Linear(low, high), Step(low, high), Spike(low, high), Sine(low, high)]


def _ends(rate: str, duration: float) -> tuple[float, float]:
    # The sine has the strictest idea of two rates: low first.
    pattern = parse("sine", rate, duration)
    assert isinstance(pattern, Sine)
    return pattern.low, pattern.high


def _test(url: str, pattern: Pattern, settings: Settings) -> LoadTest:
    interval = max(settings.duration / WIDTH, 0.01)
    return LoadTest(url, pattern, duration=settings.duration, max_concurrency=256, timeout=5.0, interval=interval)


def _rounds(console: Console, url: str, settings: Settings) -> list[Round]:
    rounds: list[Round] = []
    for pattern in patterns(settings):
        with following(console, pattern.describe()) as on_progress:
            result = _test(url, pattern, settings).run(on_progress)
        rounds.append(Round(pattern, result))
        console.print(round_view(rounds[-1], limit=settings.limit))
        if result.interrupted:
            break
    return rounds


def _finish(console: Console, settings: Settings, rounds: list[Round]) -> int:
    if rounds[-1].result.interrupted:
        console.print("interrupted; so far:", style="bold yellow")
    console.print(summary_view(rounds, limit=settings.limit, burst=settings.burst))
    if rounds[-1].result.unreachable:
        return UNREACHABLE
    return INTERRUPTED if rounds[-1].result.interrupted else 0
