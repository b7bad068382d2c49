"""Three-phase commit over a simulated network: where it does not block, and where it breaks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.distributed import transactions
from seawall.distributed.transactions.three_phase import SCENARIOS, Partition, Weather, simulate, table
from seawall.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]
GOLDEN = ROOT / "tests" / "golden" / "three-phase.txt"
PAGE = ROOT / "docs" / "how-to" / "three-phase-commit.md"
NAMES = ("coordinator", "a", "b", "c")

deaths = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 14))
cuts = st.none() | st.builds(
    Partition, st.frozensets(st.sampled_from(NAMES), min_size=1), st.integers(0, 80), st.none() | st.integers(80, 900)
)


def transcripts() -> str:
    """Three-phase commit in all scenarios, and two-phase commit where it blocks."""
    runs = [(f"three-phase: {title}", simulate("three_phase", weather)) for title, weather in SCENARIOS.items()]
    title = "the coordinator dies after the votes"
    runs.append((f"two-phase: {title}", simulate("two_phase", SCENARIOS[title])))
    return "\n".join("\n".join((f"# {name}: {run.verdict}", *run.transcript[:40], "")) for name, run in runs)


def test_the_transcripts_are_those_of_the_golden_file():
    """The same seed, the same run; `python -m tests.unit.distributed.transactions.test_three_phase` rewrites it."""
    assert transcripts() == GOLDEN.read_text()


def test_the_table_of_the_page_is_current():
    """The page tells what the simulation shows; the same command rewrites it."""
    assert table() in PAGE.read_text()


@given(deaths, st.integers(0, 2**32))
def test_deaths_alone_neither_block_nor_mix(dead, seed):
    """Whoever dies, and when: while no message is lost, all who live end, and alike with the dead that had ended."""
    run = simulate("three_phase", Weather(seed, (1, 20), deaths=dead))
    assert run.verdict in ("committed", "aborted", "dead"), run.transcript


@given(deaths, cuts, st.floats(0, 0.5), st.integers(0, 2**32))
def test_two_phase_commit_never_mixes(dead, cut, loss, seed):
    """On the same networks two-phase commit blocks, and blocks only."""
    run = simulate("two_phase", Weather(seed, (1, 20), loss, cut, dead))
    assert run.verdict != "mixed", run.transcript


def test_a_cut_mixes_the_outcome():
    """On one side all were told to make ready for the commit, on the other nobody was: each side is right to itself."""
    run = simulate("three_phase", SCENARIOS["the network is cut after the votes"])
    assert run.ends == {"coordinator": "committed", "a": "committed", "b": "aborted", "c": "aborted"}


def test_it_is_for_study():
    """It is not exported with what is for use, says what it is, and refuses nonsense."""
    assert "three_phase" not in " ".join(transactions.__all__)
    assert "for study" in str(simulate.__doc__)
    with pytest.raises(ConfigError, match=r"^protocol must be 'two_phase' or 'three_phase', got 'paxos'$"):
        simulate("paxos", Weather())
    with pytest.raises(ConfigError, match=r"^participants must be 1 to 26, got 0$"):
        simulate("two_phase", Weather(), participants=0)


if __name__ == "__main__":
    GOLDEN.write_text(transcripts())
    head, _, rest = PAGE.read_text().partition("| what happens |")
    PAGE.write_text(head + table() + rest[rest.index("\n\n") + 1 :])
    sys.stdout.write("rewritten\n")
