"""Data for calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Constant, Feed, LoadTest, Request, Scenario
from seawall.testing import run


def test_rows_take_turns_in_the_order_of_the_calls() -> None:
    """Call m has row m, round and round."""
    seen: list[int] = []

    async def target(row: int) -> None:
        seen.append(row)

    run(LoadTest(target, Constant(7), duration=1, feed=[1, 2, 3]).run_async())
    assert seen == [1, 2, 3, 1, 2, 3, 1]


def test_an_iterator_is_used_once_and_ends_the_scenario() -> None:
    """What was due after the last row was never part of the run; a second run begins anew."""
    seen: list[int] = []

    async def target(row: int) -> None:
        seen.append(row)

    test = LoadTest(target, Constant(10), duration=3600, feed=lambda: iter(range(5)))
    for _ in range(2):
        seen.clear()
        result = run(test.run_async())
        assert seen == [0, 1, 2, 3, 4]
        assert (result.planned, result.sent, result.dropped, result.interrupted) == (5, 5, 0, False)
        assert result.scenarios[0].ended == "its feed ended"
        assert result.verdict.valid
        assert result.duration < 1


def test_an_iterator_ends_a_scenario_in_threads() -> None:
    """The same holds where the calls are made by threads."""
    seen: list[int] = []
    result = LoadTest(seen.append, Constant(200), duration=3600, feed=lambda: range(5)).run()
    assert sorted(seen) == [0, 1, 2, 3, 4]
    assert (result.planned, result.sent, result.interrupted) == (5, 5, False)
    assert result.scenarios[0].ended == "its feed ended"


def test_a_feed_that_raises_ends_the_run_with_its_error() -> None:
    """Nobody awaits the timer that asks for rows, yet the error is not lost."""

    def rows() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("a broken feed")

    async def target(row: int) -> None: ...

    with pytest.raises(ZeroDivisionError, match=r"^a broken feed$"):
        run(LoadTest(target, Constant(10), duration=3600, feed=rows).run_async())
    with pytest.raises(ZeroDivisionError, match=r"^a broken feed$"):
        LoadTest(lambda _row: None, Constant(100), duration=3600, feed=rows).run()


def test_workers_use_each_row_once() -> None:
    """Two workers that number their calls 0, 2, 4 and 1, 3, 5 share an iterator's rows without a word between them."""
    feed = Feed(lambda: iter("abcdef"))
    one, other = feed.opened(), feed.opened()
    assert [one(m) for m in (0, 2, 4)] + [other(m) for m in (1, 3, 5)] == ["a", "c", "e", "b", "d", "f"]


def test_csv_files(tmp_path: Path) -> None:
    """The first line has the names, a byte order mark is skipped, and quotes work."""
    file = tmp_path / "users.csv"
    file.write_text('\ufeffuser,note\nann,"a, b"\nbob,\n')
    assert Feed.csv(file).rows == [{"user": "ann", "note": "a, b"}, {"user": "bob", "note": ""}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "feed must have 1 to 1,000,000 rows below its line of names, got 0 in {path!r}"),
        ("user\n", "feed must have 1 to 1,000,000 rows below its line of names, got 0 in {path!r}"),
        ("a,b\n1,2\n3\n", "feed must have 2 values in each row, got another number in line 3 of {path!r}"),
        ("a,b\n1,2,3\n", "feed must have 2 values in each row, got another number in line 2 of {path!r}"),
        ('a\n"1\n', "feed must be a CSV file that can be read, got {path!r}: unexpected end of data"),
    ],
)
def test_bad_csv_files(text: str, message: str, tmp_path: Path) -> None:
    """What cannot be used is refused with the file and the line."""
    file = tmp_path / "users.csv"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Feed.csv(file)
    assert str(caught.value) == message.format(path=str(file))


def test_bad_feeds() -> None:
    """What is no feed, or does not fit its target, is refused before anything is sent."""
    request = Request("http://a/${id}")
    for made, message in (
        (lambda: Feed([]), "feed must have at least one row, got none"),
        (lambda: Feed("ab"), "feed must be a list of rows or a function that makes an iterator, got 'ab'"),
        (
            lambda: Scenario("a", request),
            "GET http://a/${id} has placeholders, so it needs a feed; for example [{'id': 1}]",
        ),
        (lambda: Scenario("a", request, feed={"id": 1}), "feed must be a list of rows, got {'id': 1}; use [{'id': 1}]"),
        (
            lambda: Scenario("a", request, feed=[{"x": 1}]),
            "feed must have the column 'id' of GET http://a/${id}; it has x",
        ),
        (
            lambda: Scenario("a", request, feed=[5]),
            "feed of a URL must have rows that are mappings, got 5; for example {'id': 1}",
        ),
        (
            lambda: Scenario("a", "http://a/", feed=[{"id": 1}]),
            "feed has no use in GET http://a/; put ${name} where its values belong",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            made()
        assert str(caught.value) == message
