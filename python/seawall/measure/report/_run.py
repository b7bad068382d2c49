"""One run, from its verdict to how to read it."""

from __future__ import annotations

import itertools

from seawall.measure.load.result._result import LoadResult
from seawall.measure.report import _format, _plots, _tables, _words
from seawall.measure.report._markup import Child, Markup, folded, tag, together


def facts(result: LoadResult) -> Markup:
    """What was run, where it is known."""
    engines = list(dict.fromkeys(part.engine for part in result.scenarios if part.engine))
    rows = [
        ("target", result.target),
        ("pattern", result.pattern),
        ("model", _words.MODELS.get(result.model, result.model)),
        ("sent by", ", ".join(engines)),
        ("began", result.began),
        ("duration", _duration(result)),
        ("arrivals", "" if result.seed is None else f"poisson, seed {result.seed}"),
    ]
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows if value), class_="facts")


def run(result: LoadResult, *, level: int = 2) -> Markup:
    """All about one run, headed by headings of that level."""
    sections = [
        ("", together(banner(result), facts(result), tiles(result), _thresholds(result))),
        ("Latency", _latency(result)),
        ("Over time", _over_time(result)),
        ("Outcomes", _outcomes(result)),
        ("Scenarios", _scenarios(result)),
        ("Phases", _phases(result)),
        ("Checkpoints and events", _tables.notes(result) if result.notes else None),
        ("The generator", _generator(result)),
    ]
    return together(*(_section(title, body, level) for title, body in sections if body))


def reading(results: list[LoadResult], *, level: int = 2) -> Markup:
    """How to read all this."""
    told = dict.fromkeys(itertools.chain.from_iterable(_words.reading(result) for result in results))
    return _section("How to read this", together(*(tag("p", text) for text in told)), level)


def banner(result: LoadResult) -> Markup:
    """The verdict, with all that speaks against the numbers."""
    words, colour = _words.standing(result)
    doubts = _words.doubts(result)
    more = tag("ul", *(tag("li", doubt) for doubt in doubts)) if doubts else None
    return tag("div", tag("strong", words), more, class_=f"banner {colour}", role="status")


def tiles(result: LoadResult) -> Markup:
    """The key figures."""
    shown = [*_time_tiles(result), *_count_tiles(result)]
    made = (
        tag("div", tag("span", name), tag("b", value), tag("span", more), class_="tile") for name, value, more in shown
    )
    return tag("div", *made, class_="tiles")


def _time_tiles(result: LoadResult) -> list[tuple[str, str, str]]:
    times = result.response_time
    if not times.count:
        return [("response time", _format.NOTHING, "nothing ended")]
    p50, p99 = times.percentiles([50, 99])
    return [
        ("response time P50", _format.seconds(p50), "half ended within"),
        ("response time P99", _format.seconds(p99), "99 % ended within"),
        ("longest", _format.seconds(times.max), f"of {times.count:,}"),
    ]


def _count_tiles(result: LoadResult) -> list[tuple[str, str, str]]:
    time = max(result.duration, 1e-9)
    failed = result.completed - result.succeeded
    size = sum(result.throughput.bytes)
    shown = [
        ("throughput", _format.rate(result.completed / time), f"{_format.size(size / time)}/s"),
        ("sent", f"{result.sent:,}", f"of {result.planned:,} planned"),
        ("succeeded", _format.share(result.succeeded / max(result.completed, 1)), f"{failed:,} failed"),
        ("late", f"{result.late:,}", "waited for a place"),
    ]
    return [*shown, ("dropped", f"{result.dropped:,}", "never sent")] if result.dropped else shown


def _duration(result: LoadResult) -> str:
    warm = f", after {_format.seconds(result.warmup)} of warm-up" if result.warmup else ""
    return f"{_format.moment(result.duration)}{'' if result.duration < 120 else ' min'}{warm}"


def _section(title: str, body: Child, level: int) -> Markup:
    return tag("section", tag(f"h{level}", title) if title else None, body)


def _plots_of(*figures: Markup | None) -> Markup | None:
    shown = [figure for figure in figures if figure]
    return tag("div", *shown, class_="plots") if shown else None


def _thresholds(result: LoadResult) -> Markup | None:
    return _tables.thresholds(result.thresholds) if result.thresholds else None


def _latency(result: LoadResult) -> Markup:
    if not result.response_time.count:
        return tag("p", "No request ended, so there are no times.")
    named = [("response time", result.response_time), ("service time", result.service_time)]
    numbers = folded("numbers", _tables.percentiles(named))
    curve = _plots.percentile_curve(named, "Percentiles", numbers)
    return together(_plots_of(curve, _plots.distribution(result.response_time, _tables.bars(result.response_time))))


def _over_time(result: LoadResult) -> Markup | None:
    if not result.throughput.sent:
        return None
    trouble = _plots.trouble(result)
    plots = _plots_of(
        _plots.throughput(result),
        _plots.latency(result, _tables.blocks(result)),
        trouble,
        _plots.waiting(result),
        _plots.received(result),
    )
    calm = None if trouble else tag("p", "No request failed and none was late.", class_="soft")
    return together(plots, calm, _tables.slices(result))


def _outcomes(result: LoadResult) -> Markup | None:
    if not result.outcomes:
        return None
    alone = result.first_error and result.first_error not in result.errors.values()
    words = tag("p", "The first error: ", tag("q", result.first_error)) if alone else None
    return together(_tables.outcomes(result), words)


def _scenarios(result: LoadResult) -> Markup | None:
    # One scenario says what the run says.
    if len(result.scenarios) < 2:
        return None
    named = [(part.name, part.response_time) for part in result.scenarios]
    curves = _plots.percentile_curve(named, "Percentiles by scenario", folded("numbers", _tables.percentiles(named)))
    table = _tables.parts(result.scenarios, of_phases=False)
    return together(table, _tables.part_outcomes(result.scenarios), _plots_of(curves))


def _phases(result: LoadResult) -> Markup | None:
    if not result.phases:
        return None
    return together(_tables.parts(result.phases, of_phases=True), _tables.part_outcomes(result.phases))


def _generator(result: LoadResult) -> Markup:
    words = tag("div", *(tag("p", text) for text in _words.health(result)))
    numbers = [("schedule error", result.schedule_error)]
    if result.generator is not None and result.generator.lag.count:
        numbers.append(("lag of its loop", result.generator.lag))
    tables = folded("numbers", _tables.percentiles(numbers)) if result.schedule_error.count else None
    return tag("div", tag("div", words, tables), _plots.own_delay(result), class_="plots")
