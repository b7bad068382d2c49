"""Tables of options in the documents are those of the options."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import seawall as sw
from seawall.guard.retry import BudgetOptions, RetryOptions

ROOT = Path(__file__).resolve().parents[2]
TABLE = re.compile(r"(<!-- options: ([\w.]+) -->\n)((?:\|.*\n)+)")
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if TABLE.search(page.read_text())]


def current(match: re.Match[str]) -> str:
    """The marker with the table that its options have now."""
    module, _, name = match[2].rpartition(".")
    return match[1] + str(getattr(importlib.import_module(module), name).table())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_of_a_page_are_current(page: Path) -> None:
    """Defaults are documented as they are: `python tests/docs/test_option_tables.py` rewrites the tables."""
    text = page.read_text()
    assert TABLE.sub(current, text) == text


def test_pages_are_found() -> None:
    """The check above checks something."""
    assert "retry.md" in [page.name for page in PAGES]


@pytest.mark.parametrize(("made", "options"), [(sw.Retry, RetryOptions), (sw.RetryBudget, BudgetOptions)])
def test_a_signature_has_the_defaults_of_its_options(made: Any, options: Any) -> None:
    """What an editor shows is what is documented."""
    parameters = inspect.signature(made).parameters
    fresh = options()
    assert {name: parameters[name].default for name in options.specs()} == fresh.as_dict()


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(TABLE.sub(current, page.read_text()))
    sys.exit(0)
