"""The options of `seawall load` that say what is called, when and how; None is what was not given."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from seawall.cli._plan_file import read_plan
from seawall.cli._target import body_of, scenario_of, size_of, statuses_of
from seawall.cli._view import WIDTH
from seawall.cli._words import Duration, read_headers
from seawall.errors import ConfigError
from seawall.measure.load import Closed, LoadTest, Scenario, parse, parse_duration

_PATTERNS = "constant (the default), linear, step, spike, sine, stages:30s=100,10s=0 or replay:FILE."
_ABOUT = "What the run must keep: a percentile, mean, max, rate, errors, late or dropped; may be repeated."
_RUN = (
    click.option("--pattern", help=_PATTERNS),
    click.option("--rate", help="Requests a second, by default 50; 50:500 for linear, step, spike and sine."),
    click.option(
        "--closed", type=int, metavar="USERS", help="So many users who wait for answers, instead of a pattern."
    ),
    click.option(
        "--think", type=Duration(), help="How long each of them waits after an answer; by default not at all."
    ),
    click.option("--duration", type=Duration(), help="Length of the run, by default 10s."),
    click.option("--warmup", type=Duration(), help="Run as long before it, and count that apart."),
    click.option("--phase", "phases", multiple=True, metavar="NAME=LENGTH", help="A part told apart; may be repeated."),
    click.option("--max-concurrency", type=int, help="Requests under way at once, by default 512."),
    click.option("--arrivals", type=click.Choice(["uniform", "poisson"]), help="Even (the default), or by chance."),
    click.option("--seed", type=int, help="Repeats poisson arrivals."),
    click.option("--timeout", type=Duration(), help="Longest a request may take, by default 10s."),
    click.option("--threads", type=int, help="Of the engine in C++, by default 1."),
    click.option("--workers", type=int, help="Processes that send, by default 1."),
    click.option("--threshold", "thresholds", multiple=True, metavar="'p99<250ms'", help=_ABOUT),
    click.option("--abort", is_flag=True, default=None, help="End early when an upper limit can no longer be kept."),
)
_SCENARIO = (
    click.option("--method", help="GET, or POST where there is --data."),
    click.option(
        "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent each time; may be repeated."
    ),
    click.option("--data", multiple=True, metavar="TEXT|@FILE", help="Body; several take turns."),
    click.option("--feed", metavar="FILE.csv", help="Rows that fill ${name} in URL, headers and data, in turn."),
    click.option(
        "--expect-status", multiple=True, metavar="200,404", help="What a good answer has; by default below 400."
    ),
    click.option("--expect-body", metavar="TEXT", help="What the body of a good answer contains."),
    click.option("--expect-size", metavar="MIN:MAX", help="How many bytes it has."),
    click.option(
        "--engine", type=click.Choice(["auto", "native", "aiohttp", "httpx"]), help="What sends; httpx is HTTP/2."
    ),
    click.option("--insecure", is_flag=True, default=None, help="Do not verify certificates of https."),
    click.option("--ca-file", metavar="FILE", help="Trust the certificates (PEM) there instead of the system's."),
)
_RUN_NAMES = (
    *("pattern", "rate", "closed", "think", "duration", "warmup", "phases", "max_concurrency", "arrivals", "seed"),
    *("timeout", "threads", "workers", "thresholds", "abort"),
)
_SCENARIO_NAMES = (
    *("method", "headers", "data", "feed", "expect_status", "expect_body", "expect_size", "engine", "insecure"),
    "ca_file",
)
_OPEN_ONLY = ("pattern", "rate", "arrivals", "seed", "max_concurrency")
_PASSED_ON = (
    "warmup",
    "phases",
    "max_concurrency",
    "arrivals",
    "seed",
    "timeout",
    "grace",
    "threads",
    "workers",
    "thresholds",
    "abort",
)


def load_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets the name of the target and all of them as `asked`."""

    @functools.wraps(command)
    def with_asked(**values: Any) -> None:
        mine = [name for name in values if name in _RUN_NAMES or name in _SCENARIO_NAMES]
        asked = {name: values.pop(name) for name in mine}
        given = {name: value for name, value in asked.items() if value is not None and value != ()}
        command(asked=given, **values)

    decorated: Callable[..., None] = with_asked
    for option in reversed((*_RUN, *_SCENARIO)):
        decorated = option(decorated)
    return decorated


def load_test_of(target: str, asked: dict[str, Any]) -> LoadTest:
    """The load test of a target and the options that were given; those of the command line win over a plan's.

    Raises:
        ConfigError: An option is wrong, or does not go with the target.
    """
    run = {name: value for name, value in asked.items() if name in _RUN_NAMES}
    if "phases" in run:
        run["phases"] = _phases(run["phases"])
    own = {name: value for name, value in asked.items() if name in _SCENARIO_NAMES}
    if not target.endswith(".toml"):
        return _made([scenario_of("main", target, _scenario_options(own))], run)
    if own:
        option = next(iter(own)).replace("_", "-").replace("headers", "header")
        raise ConfigError(f"{option} belongs to a scenario of the plan, got it beside {target!r}; write it there")
    scenarios, planned = read_plan(target)
    return _made(scenarios, planned | run)


def _made(scenarios: list[Scenario], run: dict[str, Any]) -> LoadTest:
    duration = run.get("duration", 10.0)
    if "closed" in run:
        for name in _OPEN_ONLY:
            if name in run:
                raise ConfigError(f"{name} belongs to the open model, got {run[name]!r} beside closed; leave one out")
        load: Any = Closed(run["closed"], run.get("think", 0.0))
    elif "think" in run:
        raise ConfigError(f"think goes with closed, got {run['think']:g} seconds alone; for example --closed 50")
    else:
        load = parse(run.get("pattern", "constant"), run.get("rate"), duration)
    passed = {name: run[name] for name in _PASSED_ON if name in run}
    return LoadTest(scenarios, load, duration=duration, interval=min(max(duration / WIDTH, 0.1), 1.0), **passed)


def _scenario_options(own: dict[str, Any]) -> dict[str, Any]:
    if "insecure" in own and "ca_file" in own:
        raise ConfigError("insecure and ca-file say the opposite; leave one out")
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "headers": ("headers", read_headers),
        "data": ("body", body_of),
        "expect_status": ("expect_status", statuses_of),
        "expect_size": ("expect_size", size_of),
        "insecure": ("verify", lambda _: False),
        "ca_file": ("verify", str),
    }
    return dict(
        (readers[name][0], readers[name][1](value)) if name in readers else (name, value) for name, value in own.items()
    )


def _phases(words: tuple[str, ...]) -> dict[str, float]:
    phases: dict[str, float] = {}
    for word in words:
        name, equals, length = word.rpartition("=")
        if not equals or not name or name in phases:
            raise ConfigError(f"phase must be a new name and a length, got {word!r}; for example --phase ramp=10s")
        phases[name] = parse_duration(length)
    return phases
