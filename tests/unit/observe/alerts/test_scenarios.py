"""The semantics of alerts as golden transcripts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.unit.observe.alerts.scenarios import SCENARIOS, transcripts

GOLDEN = Path(__file__).resolve().parents[4] / "tests" / "golden" / "alerts.txt"


def test_the_transcripts_are_those_of_the_golden_file():
    """What happens in each case; `python -m tests.unit.observe.alerts.test_scenarios` rewrites it."""
    assert transcripts() == GOLDEN.read_text()


@pytest.mark.parametrize("run", SCENARIOS, ids=lambda run: run.__name__)
def test_the_same_again(run):
    """Nothing but the script and the clock decides."""
    assert run().lines == run().lines


if __name__ == "__main__":
    GOLDEN.write_text(transcripts())
    sys.stdout.write("rewritten\n")
