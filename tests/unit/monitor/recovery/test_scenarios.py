"""Rules against a table of scenarios."""

from __future__ import annotations

import pytest
from tests.unit.monitor.recovery.scenarios import GOLDEN, SCENARIOS, path_of, transcript


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_told_as_ever(name: str) -> None:
    """`python -m tests.unit.monitor.recovery.scenarios` rewrites the transcripts, for people to read the difference."""
    assert transcript(name) == path_of(name).read_text()


def test_each_transcript_has_a_scenario() -> None:
    """None is left over."""
    assert {path.name for path in GOLDEN.iterdir()} == {path_of(name).name for name in SCENARIOS}
