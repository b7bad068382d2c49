"""A report: one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from seawall.errors import ConfigError
from seawall.measure.load.comparison._comparison import Comparison
from seawall.measure.load.result._result import LoadResult
from seawall.measure.report import _many, _run
from seawall.measure.report._many import Run
from seawall.measure.report._markup import Markup, tag, together
from seawall.measure.report._script import SCRIPT
from seawall.measure.report._style import STYLE

_MOST_RUNS = 64
# The browser itself refuses whatever is not in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def report(
    runs: Sequence[Run | tuple[str, LoadResult]], *, title: str = "", comparison: Comparison | None = None
) -> str:
    """One self-contained HTML page about one load test or several.

    Guarantees: no request to anywhere when it is opened; everything can be read without JavaScript; the same results
    give the same page. Names and texts of a result cannot become markup.

    Cost: about 0.2 s and 0.3 MB a run.

    Args:
        runs: 1 to 64 results with their names. `Run(name, result, group)` puts the runs of a group side by side.
        title: What it says on top; the target by default.
        comparison: What comparing them gave, to be shown above them.

    Raises:
        ConfigError: There is no run, there are too many, or something is no result.
    """
    named = _checked(runs)
    title = title or _title(named)
    one = named[0].result if len(named) == 1 else None
    if one is not None:
        compared = _many.comparison_table(comparison) if comparison else None
        body = tag("div", compared, _run.run(one), data_run="1")
    else:
        body = together(_many.overview(named, comparison), _many.sections(named))
    lead = tag("p", _lead(named), class_="lead")
    reading = _run.reading([run.result for run in named])
    main = tag("main", tag("header", tag("h1", title), lead), body, reading, _footer())
    return f"<!doctype html>\n{tag('html', _head(title), tag('body', main, _script()), lang='en')}\n"


def _checked(runs: Sequence[Run | tuple[str, LoadResult]]) -> list[Run]:
    if not 1 <= len(runs) <= _MOST_RUNS:
        raise ConfigError(f"runs must be 1 to {_MOST_RUNS} pairs of a name and a LoadResult, got {len(runs)}")
    for run in runs:
        if not (isinstance(run, tuple) and len(run) in (2, 3) and isinstance(run[1], LoadResult)):
            raise ConfigError(f"runs must be pairs of a name and a LoadResult, got {run!r}; [('before', result)]")
    return [run if isinstance(run, Run) else Run(*run) for run in runs]


def _title(runs: Sequence[Run]) -> str:
    targets = list(dict.fromkeys(run.result.target for run in runs if run.result.target))
    what = "Load test" if len(runs) == 1 else f"{len(runs)} load tests"
    return f"{what} of {targets[0]}" if len(targets) == 1 else what


def _lead(runs: Sequence[Run]) -> str:
    if len(runs) > 1:
        total = sum(run.result.sent for run in runs)
        return f"{len(runs)} runs, {total:,} requests"
    result = runs[0].result
    words = (runs[0].name, result.pattern, f"{result.sent:,} requests", result.began)
    return " · ".join(word for word in words if word)


def _head(title: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )


def _script() -> Markup:
    return tag("script", Markup(SCRIPT))


def _footer() -> Markup:
    version = metadata.version("seawall")
    return tag("footer", f"Drawn by seawall {version}. Point at a plot for its values; click a name to hide its line.")
