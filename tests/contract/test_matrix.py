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
    assert done.stdout.partition("===== ")[2].strip() == PAGE.read_text().partition("## Behaviour\n\n")[2].strip()
