"""Every Python block of the documents runs, and every example in a docstring."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seawall

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(match[1], id=f"{page.relative_to(ROOT)}:{page.read_text()[: match.start()].count(chr(10)) + 1}")
    for page in PAGES
    for match in BLOCK.finditer(page.read_text())
]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(seawall.__path__, "seawall.")
    if not module.name.startswith("seawall._core.") and not module.name.endswith("__main__")
)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_a_document_runs(block: str, tmp_path: Path) -> None:
    """A reader can paste the block into a file and run it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    for name in re.findall(r"""(?:shared=|Segment\()["']([^"'/]+)["']""", block):
        seawall.Segment.remove(name)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    """Examples in docstrings give what they say."""
    failures, _ = doctest.testmod(importlib.import_module(name))
    assert failures == 0


def test_every_document_is_reached() -> None:
    """The collection above finds the pages it is meant to find."""
    assert len(BLOCKS) >= 10
    assert len(MODULES) >= 20
