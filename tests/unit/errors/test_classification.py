"""What errors mean: by class, by status, by name, by rules of users."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import importlib
import json
import queue
import socket
import sqlite3
import ssl
import subprocess
import urllib.error
from email.message import Message
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest

from seawall.errors import (
    Advice,
    BulkheadFull,
    CircuitOpen,
    Classifier,
    ConfigError,
    DeadlineExceeded,
    EngineError,
    Kind,
    RateLimited,
    RetryBudgetExhausted,
    SegmentError,
    Severity,
    Shed,
    TimeoutExceeded,
    classify,
    default_classifier,
    is_cancellation,
    kinds_table,
)
from seawall.errors._libraries import LIBRARIES


@pytest.mark.parametrize(
    ("error", "kind", "retryable", "counts"),
    [
        (RateLimited("x"), Kind.rate_limited, True, False),
        (CircuitOpen("x"), Kind.unavailable, False, False),
        (BulkheadFull("x"), Kind.unavailable, True, False),
        (Shed("x"), Kind.unavailable, False, False),
        (DeadlineExceeded("x"), Kind.timeout, False, False),
        (RetryBudgetExhausted("x"), Kind.unavailable, False, False),
        (TimeoutExceeded("x"), Kind.timeout, True, True),
        (ConfigError("x"), Kind.bug, False, False),
        (SegmentError("x"), Kind.bug, False, False),
        (EngineError("x"), Kind.unavailable, True, True),
        (ConnectionResetError(), Kind.transient, True, True),
        (ConnectionRefusedError(), Kind.unavailable, True, True),
        (BrokenPipeError(), Kind.transient, True, True),
        (TimeoutError(), Kind.timeout, True, True),
        (socket.gaierror(socket.EAI_AGAIN, "again"), Kind.transient, True, True),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), Kind.unavailable, False, True),
        (ssl.SSLError("x"), Kind.transient, True, True),
        (ssl.SSLCertVerificationError("x"), Kind.unavailable, False, True),
        (OSError(errno.EHOSTUNREACH, "x"), Kind.unavailable, True, True),
        (OSError(errno.ENOSPC, "x"), Kind.unavailable, False, True),
        (OSError(errno.ETIMEDOUT, "x"), Kind.timeout, True, True),
        (OSError(errno.EBUSY, "x"), Kind.transient, True, True),
        (OSError(errno.EINVAL, "x"), Kind.invalid, False, False),
        (OSError("x"), Kind.unknown, False, True),
        (PermissionError(), Kind.denied, False, False),
        (FileNotFoundError(), Kind.invalid, False, False),
        (json.JSONDecodeError("x", "", 0), Kind.transient, True, True),
        (ValueError(), Kind.invalid, False, False),
        (TypeError(), Kind.bug, False, False),
        (KeyError(), Kind.bug, False, False),
        (AttributeError(), Kind.bug, False, False),
        (AssertionError(), Kind.bug, False, False),
        (ZeroDivisionError(), Kind.bug, False, False),
        (MemoryError(), Kind.unavailable, False, True),
        (RuntimeError(), Kind.unknown, False, True),
        (RecursionError(), Kind.bug, False, False),
        (Exception(), Kind.unknown, False, True),
        (EOFError(), Kind.transient, True, True),
        (asyncio.IncompleteReadError(b"", 1), Kind.transient, True, True),
        (queue.Full(), Kind.unavailable, True, True),
        (subprocess.TimeoutExpired("x", 1), Kind.timeout, True, True),
        (sqlite3.OperationalError(), Kind.transient, True, True),
        (sqlite3.IntegrityError(), Kind.invalid, False, False),
        (asyncio.CancelledError(), Kind.cancelled, False, False),
        (concurrent.futures.CancelledError(), Kind.cancelled, False, False),
        (KeyboardInterrupt(), Kind.cancelled, False, False),
    ],
)
def test_what_is_known_of_classes(error: BaseException, kind: Kind, retryable: bool, counts: bool) -> None:
    """Kind, whether to try again, and whether a breaker counts it."""
    found = classify(error)
    assert (found.kind, found.is_retryable, found.counts_as_failure) == (kind, retryable, counts)


def test_severity_and_advice_may_be_unusual_for_a_kind() -> None:
    """Out of memory is worse than an unavailable peer, and asks for another remedy."""
    found = classify(MemoryError())
    assert (found.severity, found.advice) == (Severity.critical, Advice.restart)
    assert classify(CircuitOpen("x")).advice is Advice.fallback


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Kind.success),
        (304, Kind.success),
        (400, Kind.invalid),
        (401, Kind.denied),
        (403, Kind.denied),
        (404, Kind.invalid),
        (408, Kind.timeout),
        (409, Kind.invalid),
        (425, Kind.transient),
        (429, Kind.rate_limited),
        (499, Kind.cancelled),
        (500, Kind.transient),
        (501, Kind.invalid),
        (502, Kind.transient),
        (503, Kind.unavailable),
        (504, Kind.timeout),
        (HTTPStatus.TOO_MANY_REQUESTS, Kind.rate_limited),
        ("OK", Kind.success),
        ("UNAVAILABLE", Kind.unavailable),
        ("deadline_exceeded", Kind.timeout),
        ("RESOURCE_EXHAUSTED", Kind.rate_limited),
        ("CANCELLED", Kind.cancelled),
        ("UNAUTHENTICATED", Kind.denied),
        ("ABORTED", Kind.transient),
    ],
)
def test_what_statuses_mean(status: int | str, kind: Kind) -> None:
    """HTTP numbers and gRPC names."""
    assert classify(status).kind is kind


@pytest.mark.parametrize("status", [0, 99, 600, -1])
def test_a_number_that_is_no_status_is_refused(status: int) -> None:
    """The message gives the range."""
    with pytest.raises(ConfigError, match=f"^an HTTP status must be 100 to 599, got {status}$"):
        classify(status)


def test_a_text_that_is_no_status_is_refused() -> None:
    """The message lists the names."""
    with pytest.raises(
        ConfigError, match=r"^a gRPC status must be one of OK, CANCELLED, .*UNAUTHENTICATED, got 'NOPE'$"
    ):
        classify("NOPE")


class Coded(Exception):
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class CodedValue(ValueError):
    status_code = 503


def grpc_code(name: str) -> Any:
    """What `code()` of a gRPC error returns, as far as it is looked at."""
    return lambda: SimpleNamespace(name=name)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Coded(status=429), Kind.rate_limited),
        (Coded(status_code=503), Kind.unavailable),
        (Coded(response=SimpleNamespace(status_code=404)), Kind.invalid),
        (Coded(response=SimpleNamespace(status=401)), Kind.denied),
        (Coded(response={"ResponseMetadata": {"HTTPStatusCode": 504}}), Kind.timeout),
        (Coded(code=grpc_code("UNAVAILABLE")), Kind.unavailable),
        (Coded(code=grpc_code("what"), status=429), Kind.rate_limited),
        (Coded(code=lambda: 1 / 0, status=429), Kind.rate_limited),
        (Coded(status="429"), Kind.unknown),
        (Coded(status=True), Kind.unknown),
        (Coded(status=7), Kind.unknown),
        (CodedValue(), Kind.unavailable),
        (urllib.error.HTTPError("http://x", 429, "x", Message(), None), Kind.rate_limited),
        (SimpleNamespace(status=502), Kind.transient),
        (SimpleNamespace(status_code=200), Kind.success),
    ],
)
def test_a_status_that_an_object_carries_counts(error: Any, kind: Kind) -> None:
    """It tells more than a class built into Python."""
    assert classify(error).kind is kind


def test_the_most_specific_rule_wins() -> None:
    """A rule for a class goes before one for its base, in whatever order they were registered."""

    class Shop(Exception): ...

    class OutOfStock(Shop): ...

    class LastItem(OutOfStock): ...

    classifier = Classifier().register(OutOfStock, Kind.invalid).register(Shop, Kind.bug)
    assert classifier.classify(LastItem()).kind is Kind.invalid
    assert classifier.classify(Shop()).kind is Kind.bug
    assert classifier.classify(KeyError()).kind is Kind.unknown


def test_of_rules_for_one_class_the_latest_wins() -> None:
    """A service corrects what it was given, and takes it back under a condition."""
    classifier = default_classifier.copy()
    classifier.register(TimeoutError, Kind.unavailable)
    assert classifier.classify(TimeoutError()).kind is Kind.unavailable
    classifier.register(TimeoutError, Kind.bug, when=lambda error: error.errno == 7)
    assert classifier.classify(TimeoutError(7, "x")).kind is Kind.bug
    assert classifier.classify(TimeoutError(8, "x")).kind is Kind.unavailable
    assert classify(TimeoutError()).kind is Kind.timeout


def test_predicates_go_before_classes() -> None:
    """The latest predicate first; what none of them knows goes by class."""
    classifier = default_classifier.copy()
    classifier.register(lambda error: "quota" in str(error), Kind.rate_limited, severity=Severity.info)
    classifier.register(lambda error: str(error) == "quota 2", Kind.denied, advice=Advice.fix, refused=True)
    assert classifier.classify(ValueError("quota")).severity is Severity.info
    found = classifier.classify(ValueError("quota 2"))
    assert (found.kind, found.advice, found.counts_as_failure) == (Kind.denied, Advice.fix, False)
    assert classifier.classify(ValueError("x")).kind is Kind.invalid
    assert classifier.copy().classify(ValueError("quota")).kind is Kind.rate_limited


def test_classes_can_be_named() -> None:
    """By top package and class name, so that a library need not be imported."""
    classifier = Classifier().register("json.JSONDecodeError", Kind.denied)
    assert classifier.classify(json.JSONDecodeError("x", "", 0)).kind is Kind.denied


@pytest.mark.parametrize("what", [7, "JSONDecodeError", None])
def test_a_rule_must_be_for_something(what: Any) -> None:
    """A name without a package would match by accident."""
    with pytest.raises(
        ConfigError, match=f"^a rule must be for a class, 'package.Class' or a predicate, got {what!r}$"
    ):
        Classifier().register(what, Kind.bug)


def test_a_group_is_as_its_worst_member() -> None:
    """One error that must not be retried forbids retrying all."""
    group = ExceptionGroup("g", [TimeoutError(), ConnectionResetError()])
    assert classify(group).kind is Kind.timeout
    assert classify(ExceptionGroup("g", [TimeoutError(), TypeError()])).kind is Kind.bug
    assert classify(ExceptionGroup("g", [MemoryError(), TypeError()])).kind is Kind.unavailable
    mixed = BaseExceptionGroup("g", [asyncio.CancelledError(), TimeoutError()])
    assert classify(mixed).kind is Kind.timeout
    assert classify(BaseExceptionGroup("g", [asyncio.CancelledError()])).kind is Kind.cancelled


@pytest.mark.parametrize(
    ("error", "cancelled"),
    [
        (asyncio.CancelledError(), True),
        (concurrent.futures.CancelledError(), True),
        (GeneratorExit(), True),
        (KeyboardInterrupt(), True),
        (SystemExit(1), True),
        (BaseExceptionGroup("g", [SystemExit(), asyncio.CancelledError()]), True),
        (BaseExceptionGroup("g", [SystemExit(), TimeoutError()]), False),
        (TimeoutError(), False),
        (BaseException(), False),
        (429, False),
    ],
)
def test_cancellation_is_recognised(error: object, cancelled: bool) -> None:
    """Giving up is nobody's failure."""
    assert is_cancellation(error) is cancelled


def test_cancellation_cannot_be_redefined() -> None:
    """No rule makes a failure of it."""
    classifier = Classifier().register(lambda _: True, Kind.bug).register(KeyboardInterrupt, Kind.bug)
    assert classifier.classify(KeyboardInterrupt()).kind is Kind.cancelled


HOMES = {
    "httpx": ("httpx",),
    "httpcore": ("httpcore",),
    "requests": ("requests.exceptions",),
    "urllib3": ("urllib3.exceptions",),
    "aiohttp": ("aiohttp",),
    "redis": ("redis.exceptions",),
    "psycopg": ("psycopg", "psycopg.errors"),
    "psycopg_pool": ("psycopg_pool",),
    "sqlalchemy": ("sqlalchemy.exc",),
    "botocore": ("botocore.exceptions",),
}


@pytest.mark.parametrize("name", [name for name in LIBRARIES if isinstance(name, str)])
def test_libraries_have_the_classes_that_are_known(name: str) -> None:
    """Where a library is installed, each name of the table is a class of it under that very name."""
    package, _, kind = name.partition(".")
    modules = [pytest.importorskip(home) for home in HOMES[package]]
    found = next(getattr(module, kind) for module in modules if hasattr(module, kind))
    assert f"{found.__module__.partition('.')[0]}.{found.__qualname__}" == name


def test_errors_of_aiohttp_are_known() -> None:
    """Through the real classes: a status where there is one, the class where there is none."""
    aiohttp = importlib.import_module("aiohttp")
    answered = aiohttp.ClientResponseError(SimpleNamespace(real_url="x"), (), status=429)
    assert classify(answered).kind is Kind.rate_limited
    assert classify(aiohttp.ServerDisconnectedError()).kind is Kind.transient
    assert classify(aiohttp.ServerTimeoutError()).kind is Kind.timeout
    assert classify(aiohttp.InvalidURL("x")).kind is Kind.invalid


def test_aws_throttling_is_a_rate_limit_whatever_its_status() -> None:
    """The code tells more than status 400."""
    botocore = pytest.importorskip("botocore.exceptions")

    def error(code: str, status: int) -> Exception:
        details = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        made: Exception = botocore.ClientError(details, "Put")
        return made

    assert classify(error("ThrottlingException", 400)).kind is Kind.rate_limited
    assert classify(error("RequestTimeout", 400)).kind is Kind.timeout
    assert classify(error("ValidationError", 400)).kind is Kind.invalid
    assert classify(error("InternalError", 500)).kind is Kind.transient


def test_the_table_of_kinds_is_complete() -> None:
    """One row for each kind, generated from what the code uses."""
    rows = kinds_table().splitlines()
    assert rows[0] == "| kind | meaning | severity | advice | retryable | counts as failure |"
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {kind.name}" for kind in Kind]
    assert "| rate_limited | too many calls for now | warning | retry_later | yes | no |" in rows
