"""When alerts were pending and firing, as a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from seawall.observe.alerts._times import rfc3339

if TYPE_CHECKING:
    from seawall.observe.alerts._backtest import Episode

WIDTH, LEFT, ROW, TOP = 900, 260, 26, 10
MOST_ROWS = 200

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:currentColor}.p{fill:#e0a526}.f{fill:#c93434}.l{stroke:#8886}"
    "@media(prefers-color-scheme:dark){.p{fill:#b8860b}.f{fill:#e05252}}"
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Back-test</title>
<style>:root{{color-scheme:light dark}}
body{{font:15px system-ui,sans-serif;max-width:60rem;margin:2rem auto}}
svg{{width:100%;height:auto}}pre{{overflow-x:auto}}</style>
<h1>What the alerts would have done</h1><p>{when}. Yellow: pending. Red: firing.</p>
{svg}
<pre>{table}</pre>{errors}</html>
"""


def svg_of(episodes: Sequence[Episode], begin: float, end: float) -> str:
    """A row for each alert, its episodes along the time."""
    rows: dict[str, list[Episode]] = {}
    for episode in episodes:
        name = f"{episode.rule} {episode.severity}" + (f" {episode.group}" if episode.group else "")
        rows.setdefault(name, []).append(episode)
    shown = list(rows.items())[:MOST_ROWS]
    scale = (WIDTH - LEFT - 10) / ((end - begin) or 1.0)
    parts = [
        part
        for place, row in enumerate(shown)
        for part in _row(TOP + place * ROW, *row, lambda at: LEFT + (at - begin) * scale, end)
    ]
    height = TOP + ROW * max(1, len(shown)) + 24
    if not shown:
        parts = [_text(LEFT, TOP + 16, "nothing moved")]
    elif len(rows) > MOST_ROWS:
        parts.append(_text(8, height - 8, f"and {len(rows) - MOST_ROWS} more"))
    parts += [_text(LEFT, height - 6, rfc3339(begin)), _text(WIDTH - 10, height - 6, rfc3339(end), "end")]
    box = f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="When alerts were pending and firing"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}><style>{_STYLE}</style>{"".join(parts)}</svg>'


def html_of(svg: str, table: str, when: str, errors: Mapping[str, str]) -> str:
    """A page that needs nothing else."""
    said = "".join(f"<p><b>{escape(rule)}</b> could not be read: {escape(why)}</p>" for rule, why in errors.items())
    return _PAGE.format(when=escape(when), svg=svg, table=escape(table), errors=said)


def _row(top: int, name: str, episodes: Sequence[Episode], x_of: Callable[[float], float], end: float) -> list[str]:
    parts = [
        _text(8, top + 16, name if len(name) <= 38 else name[:37] + "…"),
        f'<line class="l" x1="{LEFT}" x2="{WIDTH - 10}" y1="{top + 12}" y2="{top + 12}"/>',
    ]
    for episode in episodes:
        over = end if episode.ended_at is None else episode.ended_at
        fired = over if episode.fired_at is None else episode.fired_at
        for kind, since, until in (("p", episode.pending_at, fired), ("f", fired, over)):
            if until > since or (kind == "f" and episode.fired_at is not None):
                x, width = x_of(since), max(2.0, x_of(until) - x_of(since))
                said = escape(
                    f"{name}: {'pending' if kind == 'p' else 'firing'} from {rfc3339(since)} to {rfc3339(until)}"
                )
                box = f'x="{x:.1f}" y="{top + 4}" width="{width:.1f}" height="16" rx="2"'
                parts.append(f'<rect class="{kind}" {box}><title>{said}</title></rect>')
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
