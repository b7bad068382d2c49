"""What every engine promises and what was seen of it: `python -m tests.contract.matrix` writes the page.

The promises are read from the engines, the rest from a run of this suite.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from tests.contract.backends import BACKENDS

from seawall.engines import open_engine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "engines.md"
PORTS = {
    "key_value": "KeyValue: durability consistency fencing watch watch_latency lease_precision clock",
    "journal": "Journal: durability consistency fencing lease_precision clock transactional",
    "meter": "Meter: durability consistency clock",
}
_HEAD = """\
# Engines and what they promise

Written by `python -m tests.contract.matrix`: the promises are those that the engines declare
(`seawall.engines.Guarantees`), the behaviour is that of the contract suite, run on each engine.
`open_engine(url, require=Require(...))` refuses an engine that promises less than you need.
"""
_LEGEND = """\
`durability`: what an acknowledged write survives: *none* ends with its process, *process* the death of the client,
*os* kill -9 of whoever holds it, *disk* a power cut. `clock`: *process* the clock the engine was opened with, *machine*
the machine's monotonic clock, *server* the server's wall clock, *server_monotonic* its passing of time. Times are in
seconds.
"""


def promises() -> str:
    """A table for each port: what each engine declares."""
    parts = []
    for port, said in PORTS.items():
        title, _, names = said.partition(": ")
        kinds = [kind for kind in BACKENDS.values() if port in kind.ports]
        rows = [f"| {title} | {' | '.join(kind.title for kind in kinds)} |", "|---" * (len(kinds) + 1) + "|"]
        given = [getattr(open_engine(kind.sample_url), port)().guarantees for kind in kinds]
        for name in names.split():
            rows.append(f"| {name} | {' | '.join(_word(getattr(each, name)) for each in given)} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.name if isinstance(value, IntEnum) else f"{value:g}"


class Seen:
    """A pytest plugin that remembers how each test ended on each engine."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], dict[str, str]] = {}
        self._where: dict[str, tuple[tuple[str, str], str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which test is which, before any of them has run."""
        for item in items:
            callspec = getattr(item, "callspec", None)
            if callspec is not None and callspec.params.get("backend") in BACKENDS:
                test = item.function.__module__.rpartition(".")[2], item.function.__name__  # type: ignore[attr-defined]
                self._where[item.nodeid] = test, callspec.params["backend"]
                self.outcomes.setdefault(test, {}).setdefault(callspec.params["backend"], "yes")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One failure means no; what is skipped on an engine is none of its promises."""
        if report.nodeid in self._where and not report.passed:
            test, backend = self._where[report.nodeid]
            self.outcomes[test][backend] = "-" if report.skipped else "no"


def behaviour(seen: Seen) -> str:
    """A table: each test's sentence, and on which engines it held."""
    lines = [f"| what was seen | {' | '.join(kind.title for kind in BACKENDS.values())} |"]
    lines.append("|---" * (len(BACKENDS) + 1) + "|")
    for (module, name), ended in sorted(seen.outcomes.items()):
        marks = " | ".join(ended.get(backend, "-") for backend in BACKENDS)
        lines.append(f"| {_sentence(module, name)} | {marks} |")
    return "\n".join(lines) + "\n"


def _sentence(module: str, name: str) -> str:
    test = getattr(importlib.import_module(f"tests.contract.{module}"), name)
    about = module.removeprefix("test_").replace("_", " ")
    words = name.removeprefix("test_").replace("_", " ")
    return f"*{about}*: {words}. {(inspect.getdoc(test) or '').splitlines()[0]}"


def page(seen: Seen) -> str:
    """The whole page."""
    return f"{_HEAD}\n## Promises\n\n{promises()}\n{_LEGEND}\n## Behaviour\n\n{behaviour(seen)}"


def look(*options: str) -> Seen:
    """Run, or only collect, the suite."""
    seen = Seen()
    checks_the_page = str(Path(__file__).with_name("test_matrix.py"))
    fixed = [str(Path(__file__).parent), "-q", "-p", "no:cacheprovider", "--ignore", checks_the_page]
    pytest.main([*fixed, *options], plugins=[seen])
    return seen


if __name__ == "__main__":
    PAGE.write_text(page(look()))
    sys.exit(0)
