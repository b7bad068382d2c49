"""The page about engines says what is so."""

from __future__ import annotations

import subprocess
import sys

from tests.contract.matrix import PAGE, promises


def test_the_page_has_the_promises_that_the_engines_declare():
    """`python -m tests.contract.matrix` writes it anew."""
    assert promises() in PAGE.read_text()


def test_the_page_has_every_test_of_the_suite_and_all_of_them_held():
    """A new test, or a new engine, is on the page once the suite has been run with it."""
    code = "from tests.contract.matrix import behaviour, look; s = look('--collect-only'); print('=====', behaviour(s))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PAGE.parents[2])
    collected = rows(done.stdout.partition("===== ")[2])
    written = rows(PAGE.read_text().partition("## Behaviour\n\n")[2])
    assert list(written) == list(collected)
    assert all(set(cells) <= {"yes", "-"} for line, cells in written.items() if line != "what was seen")


def rows(table: str) -> dict[str, list[str]]:
    """The cells of a Markdown table by their row's first."""
    lines = [line.strip("| ").split(" | ") for line in table.strip().splitlines()]
    return {first: rest for first, *rest in lines}
