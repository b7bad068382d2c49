"""Response times by blocks of the plan."""

from __future__ import annotations

import pytest

from seawall.measure.load._blocks import Blocks


@pytest.mark.parametrize(
    ("duration", "number", "width"), [(0.05, 1, 0.05), (1.0, 10, 0.1), (6.4, 64, 0.1), (3600.0, 64, 56.25)]
)
def test_blocks_cover_the_plan_and_are_bounded(duration: float, number: int, width: float) -> None:
    """A plan has at most 64 equal blocks of at least 0.1 s; a shorter one is a single block."""
    blocks = Blocks(duration=duration, longest=1.0)
    for i in range(1000):
        blocks.record(duration * i / 1000, 0.01)
    found = blocks.intervals()
    assert len(found) == number
    assert [block.start for block in found] == pytest.approx([i * width for i in range(number)])
    assert all(block.duration == pytest.approx(width) for block in found)
    assert sum(block.histogram.count for block in found) == 1000


def test_the_end_of_the_plan_belongs_to_the_last_block() -> None:
    """A request due at the very end, or a rounding behind it, has a block."""
    blocks = Blocks(duration=10.0, longest=1.0)
    blocks.record(10.000000001, 0.5)
    assert [(block.start, block.histogram.count) for block in blocks.intervals()] == [(63 * 10 / 64, 1)]


def test_silence_has_no_block() -> None:
    """Only blocks in which requests ended are kept, at their place in time."""
    blocks = Blocks(duration=10.0, longest=1.0)
    blocks.record(0.0, 0.5)
    blocks.record(5.0, 0.5)
    assert [block.start for block in blocks.intervals()] == [0.0, 5.0]
