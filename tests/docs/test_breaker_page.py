"""The page about the breaker says what the breaker does."""

import re
from pathlib import Path

from seawall.guard.breaker import BreakerOptions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "breaker.md"
TABLE = re.compile(r"(<!-- BreakerOptions\.table\(\) -->\n).*?(<!-- end -->)", re.DOTALL)


def in_step() -> str:
    """The page with the table of today's options."""
    return TABLE.sub(lambda match: match[1] + BreakerOptions.table() + match[2], PAGE.read_text())


def test_the_defaults_on_the_page_are_those_of_the_options() -> None:
    """The table is generated: `python tests/docs/test_breaker_page.py` rewrites it."""
    assert BreakerOptions.table() in PAGE.read_text()
    assert in_step() == PAGE.read_text()


def test_the_page_shows_every_state() -> None:
    """Text and picture know all states that a breaker can be in."""
    from seawall._core.breaker import STATES

    picture = PAGE.with_name("breaker-states.svg").read_text()
    assert [state for state in STATES if state not in picture] == []


if __name__ == "__main__":
    PAGE.write_text(in_step())
