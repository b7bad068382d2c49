"""The pictures of the adaptive page are those of the simulation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> Any:
    """`docs/adaptive.py`."""
    spec = importlib.util.spec_from_file_location("docs_adaptive", DOCS / "adaptive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.mark.proof
@pytest.mark.parametrize("name", ["adaptive-plants.svg", "adaptive-faults.svg"])
def test_a_picture_is_what_the_simulation_draws(script: Any, name: str) -> None:
    """A kernel that decides otherwise draws otherwise: `python docs/adaptive.py` draws anew."""
    assert script.PICTURES[name]() == (DOCS / "how-to" / name).read_text()
