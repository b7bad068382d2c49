"""When an error says that the call may be made again."""

from __future__ import annotations

import math
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from seawall.errors import RateLimited, retry_after_of

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def with_headers(**headers: str) -> Any:
    """An error with a response that has these headers, dashes for underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = RuntimeError("x")
    error.response = SimpleNamespace(headers=named)  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (2.5, 2.5),
        (0, 0.0),
        (-1, 0.0),
        (math.nan, None),
        (math.inf, 86_400.0),
        (10**9, 86_400.0),
        (timedelta(minutes=1), 60.0),
        ("3", None),
        (True, None),
        (None, None),
    ],
)
def test_what_a_refusal_says_is_bounded(value: Any, seconds: float | None) -> None:
    """Never negative, never NaN, at most a day."""
    assert retry_after_of(RateLimited("x", retry_after=value)) == seconds


def test_the_bound_is_an_argument() -> None:
    """Who cannot wait a day says so."""
    assert retry_after_of(RateLimited("x", retry_after=90.0), most=30.0) == 30.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "120"}, 120.0),
        ({"retry_after": "0"}, 0.0),
        ({"RETRY_AFTER": " 1.5 "}, 1.5),
        ({"Retry_After": "-7"}, 0.0),
        ({"Retry_After": "nan"}, None),
        ({"Retry_After": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"Retry_After": "Tuesday, 14-Nov-23 22:13:50 GMT"}, 30.0),
        ({"Retry_After": "Tue Nov 14 22:13:50 2023"}, 30.0),
        ({"Retry_After": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({"RateLimit": '"default";r=0;t=30'}, 30.0),
        ({"RateLimit": '"burst";r=0;t=5, "daily"; r=0; t=300'}, 300.0),
        ({"RateLimit": '"default";r=7;t=30'}, None),
        ({"RateLimit_Reset": "12"}, 12.0),
        ({"RateLimit_Reset": "12", "RateLimit_Remaining": "0"}, 12.0),
        ({"RateLimit_Reset": "12", "RateLimit_Remaining": "3"}, None),
        ({"X_RateLimit_Reset": "1700000045", "X_RateLimit_Remaining": "0"}, 45.0),
        ({"X_RateLimit_Reset": "45"}, 45.0),
        ({"Retry_After": "1", "RateLimit": '"default";r=0;t=30'}, 1.0),
        ({}, None),
    ],
)
def test_what_headers_say(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, dates in the three forms of RFC 9110, and rate limit fields where nothing remains."""
    assert retry_after_of(with_headers(**headers), wall=NOW) == seconds


def test_headers_of_the_error_itself_count() -> None:
    """As aiohttp and urllib have them."""
    assert retry_after_of(SimpleNamespace(headers={"Retry-After": "3"})) == 3.0


def test_headers_of_botocore_count() -> None:
    """Its responses are dictionaries."""
    error = RuntimeError("x")
    error.response = {"ResponseMetadata": {"HTTPHeaders": {"retry-after": "4"}}}  # type: ignore[attr-defined]
    assert retry_after_of(error) == 4.0


def test_a_date_is_compared_with_the_machines_time_by_default() -> None:
    """A date long past means now."""
    assert retry_after_of(with_headers(Retry_After="Tue, 14 Nov 2023 22:13:50 GMT")) == 0.0


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ((("grpc-retry-pushback-ms", "1500"),), 1.5),
        ((("grpc-retry-pushback-ms", "-1"),), 86_400.0),
        ((("grpc-retry-pushback-ms", "x"),), None),
        ((("other", "1"),), None),
        (None, None),
    ],
)
def test_grpc_pushback_is_heard(metadata: Any, seconds: float | None) -> None:
    """In milliseconds; a negative one means never, which is the longest answer."""
    assert retry_after_of(SimpleNamespace(trailing_metadata=lambda: metadata)) == seconds


def test_a_cause_is_asked_when_the_error_says_nothing() -> None:
    """The client library's error is often behind the service's own."""
    error = RuntimeError("charge failed")
    error.__cause__ = RateLimited("x", retry_after=3.0)
    assert retry_after_of(error) == 3.0


def test_foreign_code_that_fails_does_no_harm() -> None:
    """A response that cannot tell its metadata is one without."""
    assert retry_after_of(SimpleNamespace(trailing_metadata=lambda: 1 / 0)) is None

    class Unasked(Exception):
        @property
        def response(self) -> Any:
            raise RuntimeError("no response yet")

    assert retry_after_of(Unasked()) is None
