"""Memory: what holds it, what was added, what grows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from seawall.errors import ConfigError
from seawall.observe.profiler import Allocations, growth


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Tests begin and end without tracing."""
    tracemalloc.stop()
    yield
    tracemalloc.stop()


def leak(into: list[bytes]) -> None:
    """Hold more."""
    into.append(bytes(100_000))


LEAKING = leak.__code__.co_firstlineno + 2


def test_the_line_that_holds_most_is_on_top() -> None:
    """A planted megabyte is found, with its line, bytes and blocks."""
    kept: list[bytes] = []
    with Allocations() as allocations:
        for _ in range(10):
            leak(kept)
        first = allocations.snapshot().top(1)[0]
    assert (first.file, first.line) == (__file__, LEAKING)
    # The list's own memory was grown by the same line.
    assert first.objects in (10, 11)
    assert 1_000_000 < first.space < 1_010_000
    assert len(kept) == 10


def test_a_difference_has_what_was_added_and_what_was_freed() -> None:
    """Between two snapshots, by line, by file, or by the whole traceback."""
    kept: list[bytes] = []
    with Allocations() as allocations:
        leak(kept)
        before = allocations.snapshot()
        leak(kept)
        leak(kept)
        more = allocations.snapshot()
        kept.clear()
        less = allocations.snapshot()
    added = more.diff(before)[0]
    assert (added.line, added.more_objects) == (LEAKING, 2)
    assert added.space - added.more_space > 100_000
    freed = less.diff(more)[0]
    assert (freed.line, freed.space) == (LEAKING, 0)
    assert freed.more_space < -300_000
    assert more.diff(before, by="file")[0].file == __file__
    assert any("into.append(bytes(100_000))" in line for line in more.diff(before, by="traceback")[0].traceback)


def test_what_grows_each_time_is_told_and_what_grew_once_is_not() -> None:
    """A leak is in every interval; a cache that was filled once is not."""
    kept: list[bytes] = []
    snapshots = []
    with Allocations(frames=1) as allocations:
        for turn in range(4):
            leak(kept)
            if turn == 1:
                cache = bytes(5_000_000)
            snapshots.append(allocations.snapshot())
    lines = [held.line for held in growth(snapshots) if held.file == __file__]
    assert LEAKING in lines
    assert growth(snapshots)[0].more_objects == 3
    assert len(cache) not in lines
    with pytest.raises(ConfigError) as caught:
        growth(snapshots[:2])
    assert str(caught.value) == "snapshots must be at least 3, got 2; whatever is in use grows once"


def test_memory_is_a_profile_too() -> None:
    """Its bytes by stack are what tracemalloc has counted, and every format takes them."""
    kept: list[bytes] = []
    with Allocations(frames=8) as allocations:
        leak(kept)
        memory = allocations.snapshot()
    profile = memory.profile()
    assert profile.total() == memory.space
    innermost = {stack.frames[-1].line for stack in profile.stacks if stack.frames[-1].file == __file__}
    assert LEAKING in innermost
    assert f"test_allocations.py:{LEAKING}" in profile.to_collapsed()
    assert "Memory: bytes held" in profile.to_html()


def test_tracing_of_others_goes_on() -> None:
    """Who did not start it does not stop it."""
    tracemalloc.start(3)
    with Allocations() as allocations:
        assert allocations.running
    assert tracemalloc.is_tracing()
    assert tracemalloc.get_traceback_limit() == 3


def test_misuse_is_told() -> None:
    """Not started, an unknown way, out of range."""
    with pytest.raises(ConfigError) as caught:
        Allocations().snapshot()
    assert str(caught.value) == ("allocations are not traced; start() first, as what was allocated before is not known")
    with pytest.raises(ConfigError) as caught:
        Allocations(frames=0)
    assert str(caught.value) == (
        "frames must be 1 to 256, got 0; frames kept of each allocation; each costs time and memory"
    )
    with Allocations() as allocations, pytest.raises(ConfigError) as caught:
        allocations.snapshot().top(by="size")  # type: ignore[arg-type]
    assert str(caught.value) == "by must be 'line', 'file' or 'traceback', got 'size'"
