"""Draws docs/demo.svg, the end of a real `seawall demo` in a terminal: `python docs/demo.py` on a quiet machine."""

import asyncio
import io
import re
from pathlib import Path

from rich.console import Console

from seawall.cli.demo._command import play_all
from seawall.cli.demo._round_view import round_view, summary_view
from seawall.cli.demo._settings import Settings

PICTURE = Path(__file__).with_name("demo.svg")
# The fonts that rich names are loaded from elsewhere; a picture in a README may not and need not.
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
FAMILY = re.compile(r"font-family: (Fira Code|arial)[^;]*;")


def main() -> None:
    """Play the demo and draw its last two patterns and its summary."""
    settings = Settings()
    rounds = asyncio.run(play_all(Console(file=io.StringIO()), settings))
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print("[dim]$[/] seawall demo\n[dim]⋮[/]")
    for one in rounds[-2:]:
        console.print(round_view(one, settings))
    console.print(summary_view(rounds, settings))
    drawn = FONTS.sub("", console.export_svg(title="seawall demo"))
    PICTURE.write_text(FAMILY.sub("font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace;", drawn))


if __name__ == "__main__":
    main()
