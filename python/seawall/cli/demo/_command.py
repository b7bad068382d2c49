"""`seawall demo`: an unreliable service, five patterns of load, without guards and with them."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click
from rich.console import Console

from seawall.cli._live import following
from seawall.cli._load import INTERRUPTED, UNREACHABLE
from seawall.cli._words import Duration, usage_errors
from seawall.cli.demo._page import check_out, write_page
from seawall.cli.demo._round import Round, play
from seawall.cli.demo._round_view import round_view, summary_view
from seawall.cli.demo._settings import Settings
from seawall.errors import SeawallError
from seawall.measure.load import Sine, parse

_DEFAULT = Settings()
_QUICK = 1.0
_NEXT = """\
next, with a service of yours:
  seawall load http://127.0.0.1:8000/ --pattern spike --rate 50:500
  seawall load http://127.0.0.1:8000/ --threshold 'p99<250ms' --json before.json
  seawall compare before.json after.json"""


@click.command()
@click.option("--quick", is_flag=True, help="Runs of one second each.")
@click.option("--duration", type=Duration(), help="Length of each of the ten runs; 4s by default.")
@click.option("--rate", default="20:200", show_default=True, help="Lowest and highest requests a second.")
@click.option(
    "--limit", type=float, default=_DEFAULT.limit, show_default=True, help="Requests a second the guarded shop lets in."
)
@click.option(
    "--burst", type=click.IntRange(1), default=_DEFAULT.burst, show_default=True, help="Requests it lets in at once."
)
@click.option(
    "--seed", type=click.IntRange(0), default=_DEFAULT.seed, show_default=True, help="Of arrivals and of all chance."
)
@click.option("--out", default="seawall-demo.html", show_default=True, help="The report to write.")
@click.option("--no-report", is_flag=True, help="Write none.")
def demo(
    *,
    quick: bool,
    duration: float | None,
    rate: str,
    limit: float,
    burst: int,
    seed: int,
    out: str,
    no_report: bool,
) -> None:
    """Run five patterns of load against an unreliable service, without guards and with them, all on this machine.

    Exit codes: 0 done, 2 bad usage, 3 the service could not be reached, 130 interrupted.
    """
    console = Console(highlight=False)
    with usage_errors():
        length = duration or (_QUICK if quick else _DEFAULT.duration)
        settings = _settings(rate, length, limit, burst, seed)
        if not no_report:
            check_out(out)
    console.print(_opening(settings))
    try:
        rounds = asyncio.run(play_all(console, settings))
    except SeawallError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(_finish(console, settings, rounds, None if no_report else out))


def _settings(rate: str, duration: float, limit: float, burst: int, seed: int) -> Settings:
    # The sine has the strictest idea of two rates: low first.
    pattern = parse("sine", rate, duration)
    assert isinstance(pattern, Sine)
    made = Settings(limit=limit, burst=burst, low=pattern.low, high=pattern.high, duration=duration, seed=seed)
    for one in made.patterns():
        one.over(duration)
    return made


def _opening(settings: Settings) -> str:
    trouble, able = settings.trouble, settings.workers / settings.median
    return (
        f"A [bold]shop[/] calls [bold]payments[/], which does {able:.0f} requests a second on a good day.\n"
        f"In each run it is {trouble.slower:g} times slower for a while, and then fails {trouble.share:.0%} of\n"
        "its calls for a while. Callers wait "
        f"{settings.patience:g} s.\n\n"
        "  [bold]plain[/]    no guards\n"
        f"  [bold]guarded[/]  limit of {settings.limit:g}/s, retries with a budget, circuit breaker,\n"
        "           bulkhead, timeout, fallback\n\n"
        "The same arrivals go to one, then to the other, each time to new processes:\n"
        f"ten runs of {settings.duration:g} s.\n"
    )


async def play_all(console: Console, settings: Settings) -> list[Round]:
    """Play pattern by pattern, drawing each as it ends; a stop ends it with what there is."""
    rounds: list[Round] = []
    stop = asyncio.Event()
    with _stopping(stop):
        for pattern in settings.patterns():
            rounds.append(await play(pattern, settings, lambda test, title: following(console, test, title), stop))
            if rounds[-1].sides:
                console.print(round_view(rounds[-1], settings))
            if not rounds[-1].whole:
                break
    return rounds


@contextmanager
def _stopping(stop: asyncio.Event) -> Iterator[None]:
    """While the block runs, Ctrl-C and SIGTERM set `stop`, where this is the thread that can hear them."""
    loop, heard = asyncio.get_running_loop(), []
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError, RuntimeError):
            loop.add_signal_handler(number, stop.set)
            heard.append(number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


def _finish(console: Console, settings: Settings, rounds: list[Round], out: str | None) -> int:
    results = [side.result for one in rounds for side in one.sides.values()]
    unreachable = any(result.unreachable for result in results)
    interrupted = not unreachable and not all(one.whole for one in rounds)
    if interrupted:
        console.print("interrupted; so far:", style="bold yellow")
    if results:
        console.print(summary_view(rounds, settings))
        if out is not None:
            console.print(f"\nreport: {write_page(out, rounds)}", soft_wrap=True)
    if unreachable:
        error = next(result.first_error for result in results if result.unreachable)
        console.print(f"the service could not be reached: {error}", style="bold red")
        return UNREACHABLE
    if interrupted:
        return INTERRUPTED
    console.print(f"\n{_NEXT}", soft_wrap=True)
    return 0
