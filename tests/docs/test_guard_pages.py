"""What the how-to pages of policies say of options and events is what the code says."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from seawall import presets

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
MARK = re.compile(r"^<!-- options: (\S+)\.(\w+) -->\n(.*?)\n(?!\|)", re.MULTILINE | re.DOTALL)
TABLES = [
    pytest.param(*match.groups(), id=match[2])
    for page in sorted(HOW_TO.glob("*.md"))
    for match in MARK.finditer(page.read_text())
]
EVENTS = {
    "adaptive": ("LimitChanged",),
    "bulkhead": ("BulkheadRefused",),
    "timeout": ("TimedOut",),
    "fallback": ("FellBack",),
    "hedge": ("Hedged", "WonByCopy"),
    "throttle": ("Held",),
}


@pytest.mark.parametrize(("module", "name", "table"), TABLES)
def test_the_table_of_defaults_is_that_of_the_options(module: str, name: str, table: str) -> None:
    """Defaults, units, ranges and meanings are generated; a page that is behind fails here."""
    options: Any = getattr(importlib.import_module(module), name)
    assert table.strip() == options.table().strip()


@pytest.mark.parametrize("policy", EVENTS)
def test_every_event_of_a_policy_is_on_its_page(policy: str) -> None:
    """With its fields, in order."""
    module = importlib.import_module(f"seawall.guard.{policy}")
    page = (HOW_TO / f"{policy}.md").read_text()
    for event in EVENTS[policy]:
        fields = ", ".join(inspect.signature(getattr(module, event)).parameters)
        assert f"`{event}({fields})`" in page


@pytest.mark.parametrize("kind", ["http", "database", "llm"])
def test_what_a_preset_contains_is_on_the_page(kind: str) -> None:
    """As the preset describes itself."""
    described = getattr(presets, kind)().describe()
    assert f"<!-- preset: {kind} -->\n```text\n{described}\n```\n" in (HOW_TO / "pipeline.md").read_text()


def test_the_tables_are_found() -> None:
    """The marks on the pages are read."""
    assert len(TABLES) >= 5
