"""What is secret is not shown."""
# ruff: noqa: E501 - texts stand on one line each

from __future__ import annotations

import pytest

from seawall.monitor.health._scrub import LONGEST, Scrubber


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://app:hunter2@db:5432/orders refused", "postgresql://***@db:5432/orders refused"),
        ("redis://:hunter2@cache:6379/0", "redis://***@cache:6379/0"),
        ("amqp://u:p@ss/hunter2@mq:5672//", "amqp://***@mq:5672//"),
        ("connection to 'host=db password=hunter2 user=app' failed", "connection to 'host=db password=*** user=app' failed"),
        ("password='hunter2 hunter2' host=db", "password=*** host=db"),
        ('{"token": "hunter2", "n": 1}', '{"token": ***, "n": 1}'),
        ("GET /x?sig=hunter2&page=2", "GET /x?sig=***&page=2"),
        ("Authorization: Bearer hunter2.hunter2", "Authorization: ***"),
        ("sent Basic aHVudGVyMjpodW50ZXIy to it", "sent Basic *** to it"),
        ("AWS_SECRET_ACCESS_KEY=hunter2", "AWS_SECRET_ACCESS_KEY=***"),
        ("Pwd=hunter2;Server=db", "Pwd=***;Server=db"),
        ("db_password: hunter2", "db_password: ***"),
        ("two\n  lines", "two lines"),
        ("connection to db:5432 refused", "connection to db:5432 refused"),
        ("http://db:5432/ answered 503", "http://db:5432/ answered 503"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(text: str, shown: str) -> None:
    """And what does not stays."""
    assert Scrubber()(text) == shown


@pytest.mark.parametrize("text", ["got s3cr/t&x", "got s3cr%2Ft%26x", "in s3cr/t%26x."])
def test_a_known_secret_is_hidden_however_it_is_quoted(text: str) -> None:
    """As it is, and as URLs have it."""
    assert "s3cr" not in Scrubber(["s3cr/t&x"])(text)


def test_short_texts_are_not_taken_for_secrets() -> None:
    """They would be found in everything."""
    assert Scrubber(["a", "db"])("a db is away") == "a db is away"


def test_a_long_text_is_cut() -> None:
    """A page stays a page."""
    assert len(Scrubber()("x y" * 10_000)) == LONGEST
