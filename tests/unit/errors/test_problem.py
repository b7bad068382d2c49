"""Errors as problem documents: what clients need, nothing of the inside."""

from __future__ import annotations

import json
import re

import pytest

from seawall.errors import (
    BulkheadFull,
    CircuitOpen,
    ConfigError,
    DeadlineExceeded,
    EngineError,
    RateLimited,
    Rejected,
    RetryBudgetExhausted,
    SeawallError,
    SegmentError,
    Shed,
    TimeoutExceeded,
    attach,
    error_context,
    problem,
    problem_headers,
)

IANA = "https://iana.org/assignments/http-problem-types#"


def test_a_reached_limit_is_the_standard_problem() -> None:
    """Every member, compared whole."""
    error = RateLimited("secret-key is at its limit", retry_after=2.1, policy="search", key="secret-key")
    assert problem(error, instance="/orders/17", type_base="https://example.com/problems/") == {
        "type": f"{IANA}quota-exceeded",
        "title": "Request cannot be satisfied as assigned quota has been exceeded",
        "status": 429,
        "detail": "Too many calls. Try again in 3 s.",
        "instance": "/orders/17",
        "retry_after": 2.1,
        "policy": "search",
        "violated-policies": ["search"],
    }
    assert problem_headers(error) == {"Content-Type": "application/problem+json", "Retry-After": "3"}


def test_without_a_time_nothing_is_said_of_one() -> None:
    """No Retry-After, no policy where none is known."""
    assert problem(CircuitOpen("x"), type_base="https://example.com/problems") == {
        "type": "https://example.com/problems/circuit-open",
        "title": "A dependency is not available",
        "status": 503,
        "detail": "Calls to a dependency are suspended.",
    }
    assert problem_headers(CircuitOpen("x")) == {"Content-Type": "application/problem+json"}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RateLimited("x"), 429, f"{IANA}quota-exceeded"),
        (BulkheadFull("x"), 503, f"{IANA}temporary-reduced-capacity"),
        (Shed("x"), 503, f"{IANA}temporary-reduced-capacity"),
        (CircuitOpen("x"), 503, "about:blank"),
        (RetryBudgetExhausted("x"), 503, "about:blank"),
        (Rejected("x"), 503, "about:blank"),
        (DeadlineExceeded("x"), 504, "about:blank"),
        (TimeoutExceeded("x"), 504, "about:blank"),
        (EngineError("x"), 503, "about:blank"),
        (ConfigError("x"), 500, "about:blank"),
        (SegmentError("x"), 500, "about:blank"),
        (SeawallError("x"), 500, "about:blank"),
        (TimeoutError("x"), 504, "about:blank"),
        (ConnectionRefusedError("x"), 503, "about:blank"),
        (ValueError("x"), 500, "about:blank"),
        (KeyError("x"), 500, "about:blank"),
    ],
)
def test_each_error_has_its_status_and_type(error: Exception, status: int, kind: str) -> None:
    """Foreign errors go by their kind."""
    found = problem(error)
    assert (found["status"], found["type"]) == (status, kind)


def test_nothing_of_the_inside_is_told() -> None:
    """Neither message, key, state, context nor cause of any error."""
    secret = "hunter2"
    for kind in (RateLimited, CircuitOpen, BulkheadFull, Shed, DeadlineExceeded, RetryBudgetExhausted):
        with error_context(operation=secret, token=secret):
            error = attach(kind(secret, key=secret, state=secret, retry_after=1.0))
        error.__cause__ = ValueError(secret)
        assert secret not in json.dumps(problem(error))
        assert secret not in json.dumps(problem_headers(error))
    for other in (ConfigError(secret), EngineError(secret), TimeoutExceeded(secret), ValueError(secret)):
        assert secret not in json.dumps(problem(other))


@pytest.mark.parametrize(("wait", "header"), [(0.0, "0"), (0.001, "1"), (1.0, "1"), (1.0001, "2"), (1e9, "86400")])
def test_the_header_is_whole_seconds_rounded_up(wait: float, header: str) -> None:
    """A client that keeps to it does not come too early."""
    assert problem_headers(RateLimited("x", retry_after=wait))["Retry-After"] == header


def test_the_edge_may_know_better() -> None:
    """A client's value that can never work is the client's mistake."""
    assert problem(ConfigError("x"), status=400, type_base="https://example.com") == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
    }


@pytest.mark.parametrize("status", [200, 99, 600, 499])
def test_a_status_must_be_an_error(status: int) -> None:
    """A problem is never a success."""
    with pytest.raises(ConfigError, match=re.escape(f"status must be an HTTP status from 400 to 599, got {status}")):
        problem(ConfigError("x"), status=status)
