"""Pipelines from configuration, and every way in which one can be wrong."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from tests.unit.guard.witness import Witness

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard import Custom, Pipeline, Policy, pipelines, policies
from seawall.guard.breaker import Calls, Ramp
from seawall.guard.retry import Exponential

TOML = """
name = "payments"

[[policies]]
type = "fallback"
value = "later"
on = "TimeoutError"

[[policies]]
type = "retry"
attempts = 4
on = ["TimeoutError", "http.client.IncompleteRead"]
backoff = { kind = "exponential", start = 0.5, factor = 3.0, cap = 9.0 }
budget = { kind = "retry_budget", ratio = 0.1 }

[[policies]]
type = "circuit_breaker"
name = "bank"
window = { kind = "calls", count = 50 }
recovery = { kind = "ramp", over = { kind = "calls", count = 20 } }

[[policies]]
type = "token_bucket"
rate = 100
burst = 20

[[policies]]
type = "bulkhead"
max_concurrent = 5

[[policies]]
type = "timeout"
seconds = 2.5
enforce = 0.5
"""


def entry(kind: str, **options: Any) -> dict[str, Any]:
    """A configuration of one policy."""
    return {"policies": [{"type": kind, **options}]}


def test_a_pipeline_from_toml_is_the_one_written_in_code(tmp_path: Path) -> None:
    """Kinds of values and names of exceptions are made what the policies take; from text and from a file."""
    (tmp_path / "payments.toml").write_text(TOML)
    for guard in (Pipeline.from_toml(TOML), Pipeline.from_toml(tmp_path / "payments.toml")):
        assert [policy.name for policy in guard] == [
            "fallback", "retry", "bank", "token_bucket", "bulkhead", "timeout",
        ]  # fmt: skip
        assert guard.name == "payments"
        assert repr(guard["retry"]._rules.backoff) == repr(Exponential(0.5, 3.0, 9.0))
        assert guard["bank"].options.window == Calls(50)
        assert guard["bank"].options.recovery == Ramp(over=Calls(20))
        assert guard["token_bucket"].limit == 20
        assert (guard["timeout"].seconds, guard["timeout"].enforce) == (2.5, 0.5)

        def late() -> str:
            raise TimeoutError

        with sw.Deadline(0.4):
            assert guard.call(late) == "later"


def test_variables_replace_options() -> None:
    """By name or type of the policy; values are read as TOML, else as text; other variables are left alone."""
    base = {"policies": [
        {"type": "token_bucket", "name": "slow-limit", "rate": 1},
        {"type": "retry"},
        {"type": "fallback", "value": 0},
    ]}  # fmt: skip
    environment = {
        "APP__SLOW_LIMIT__RATE": "5",
        "APP__RETRY__ATTEMPTS": "7",
        "APP__RETRY__BACKOFF": '{ kind = "constant", seconds = 2 }',
        "APP__FALLBACK__VALUE": "plain text",
        "APP": "1",
        "APPLE__RETRY__ATTEMPTS": "9",
        "OTHER__RETRY__ATTEMPTS": "9",
    }
    guard = Pipeline.from_env("app", base, environment)
    assert guard["slow-limit"].limit == 5
    assert guard["retry"]._rules.attempts == 7
    assert repr(guard["retry"]._rules.backoff) == "Constant(seconds=2)"
    assert base["policies"][1] == {"type": "retry"}

    def fail() -> str:
        raise ConnectionError

    with sw.Deadline(0.1):
        assert Pipeline(guard["fallback"]).call(fail) == "plain text"


def test_variables_of_the_process_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no environment is given."""
    monkeypatch.setenv("SEAWALLTEST__RETRY__ATTEMPTS", "2")
    assert Pipeline.from_env("seawalltest", entry("retry"))["retry"]._rules.attempts == 2


NAMES = ", ".join(policies.names())
RETRY = (
    "attempts, on, on_result, backoff, jitter, max_time, max_retry_after, budget, nested, seed, name, clock, "
    "shadow, enforce"
)
WRONG: list[tuple[Any, str]] = [
    (7, "a configuration is a mapping, got 7"),
    ({"policy": []}, "a pipeline has name and policies, got 'policy'"),
    ({}, "policies must be a list of at least one table with a type, got None"),
    ({"policies": []}, "policies must be a list of at least one table with a type, got []"),
    ({"policies": ["retry"]}, f"policies[1] must be a table with a type ({NAMES}), got 'retry'"),
    ({"policies": [{"attempts": 3}]}, f"policies[1] must be a table with a type ({NAMES}), got {{'attempts': 3}}"),
    (
        {"policies": [{"type": "retry"}, {"type": "retry"}]},
        "policies[2] is a second retry named 'retry'; give it a name of its own",
    ),
    ({"name": "", **entry("retry")}, "name must be a str of 1 to 100 bytes, got ''"),
    (
        entry("retri"),
        f"policies[1] (retri): policies has no 'retri'; did you mean 'retry'? there is: {NAMES}",
    ),
    (
        entry("retry", attempt=3),
        f"policies[1] (retry): got an unexpected keyword argument 'attempt'; options are: {RETRY}",
    ),
    (
        entry("retry", attempts=0),
        "policies[1] (retry): attempts must be 1 to 1000, got 0; attempts altogether, the first included",
    ),
    (
        entry("token_bucket"),
        "policies[1] (token_bucket): missing a required argument: 'rate'; "
        "options are: rate, per, burst, name, clock, shared, shadow, enforce, on_conflict",
    ),
    (entry("token_bucket", rate=-1), "policies[1] (token_bucket): rate must be above 0 and finite, got -1; "
     "to refuse everything open a breaker by hand"),
    (entry("timeout", seconds=1, enforce=2), "policies[1] (timeout): enforce must be a share from 0 to 1, got 2"),
    (
        entry("retry", backoff={"kind": "exponential", "begin": 1}),
        "policies[1] (retry): backoff: exponential: got an unexpected keyword argument 'begin'; "
        "options are: start, factor, cap",
    ),
    (
        entry("retry", backoff={"kind": "exponential", "start": -1}),
        "policies[1] (retry): backoff: exponential: start must be 1 ns to 2.8823e+08 s, got -1",
    ),
    (
        entry("retry", backoff={"kind": "exponentially"}),
        "policies[1] (retry): backoff: values has no 'exponentially'; did you mean 'exponential'? there is: aimd, "
        "calls, constant, decorrelated, exponential, fibonacci, gradient, linear, quantile, ramp, retry_budget, "
        "seconds, vegas",
    ),
    (
        entry("retry", backoff={"kind": 7}),
        "policies[1] (retry): backoff: kind must be one of aimd, calls, constant, decorrelated, exponential, "
        "fibonacci, gradient, linear, quantile, ramp, retry_budget, seconds, vegas, got 7",
    ),
    *(
        (
            entry("retry", on=name),
            f"policies[1] (retry): on: there is no exception {name!r}; write it like TimeoutError or httpx.ReadTimeout",
        )
        for name in ("TimeOutError", "nowhere.Error", "http.client.Nothing", ".x.Error", "")
    ),
    (entry("retry", on="os.path"), f"policies[1] (retry): on: 'os.path' is no exception type, but {os.path!r}"),
    (
        entry("retry", on="KeyboardInterrupt"),
        "policies[1] (retry): on must be made of subclasses of Exception, as cancellations are never retried, "
        "got (<class 'KeyboardInterrupt'>,); errors to retry: classes, or a predicate; by default those worth it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("config", "message"), WRONG)
def test_a_configuration_that_can_never_work_says_why(config: Any, message: str) -> None:
    """Which policy, which option, what was wrong, what is possible."""
    with pytest.raises(ConfigError) as caught:
        Pipeline.from_dict(config)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("prefix", "environment", "message"),
    [
        ("A__B", {}, "prefix must be letters, digits and single underscores, got 'A__B'"),
        ("", {}, "prefix must be letters, digits and single underscores, got ''"),
        (
            "APP",
            {"APP__RETRY_ATTEMPTS": "3"},
            "APP__RETRY_ATTEMPTS must be APP__POLICY__OPTION, with two underscores between the parts",
        ),
        (
            "APP",
            {"APP__RETRY__BACKOFF__START": "3"},
            "APP__RETRY__BACKOFF__START must be APP__POLICY__OPTION, with two underscores between the parts",
        ),
        ("APP", {"APP__BREAKER__X": "3"}, "APP__BREAKER__X names no policy of the pipeline; there is: RETRY, LIMIT"),
        (
            "APP",
            {"APP__RETRY__ATTEMPTS": "many"},
            "policies[1] (retry): attempts must be a whole number, 1 to 1000, got 'many'; attempts altogether, "
            "the first included",
        ),
    ],
)
def test_variables_that_mean_nothing_are_not_ignored(prefix: str, environment: dict[str, str], message: str) -> None:
    """A misspelled variable is told, not passed over."""
    base = {"policies": [{"type": "retry"}, {"type": "token_bucket", "name": "limit", "rate": 1}]}
    with pytest.raises(ConfigError) as caught:
        Pipeline.from_env(prefix, base, environment)
    assert str(caught.value) == message


def test_what_is_no_toml_says_so(tmp_path: Path) -> None:
    """Text, a file that is not there, a file that is no text."""
    for source, message in (
        ("payments.toml", "the text (a file is given as a Path) is not TOML: Expected '=' after a key "
         "in a key/value pair"),
        (tmp_path / "none.toml", f"cannot read {tmp_path}/none.toml: No such file or directory"),
        (7, "TOML is text, or a file given as a Path, got 7"),
    ):  # fmt: skip
        with pytest.raises(ConfigError) as caught:
            Pipeline.from_toml(source)  # type: ignore[arg-type]
        assert str(caught.value).startswith(message)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as caught:
        Pipeline.from_toml(tmp_path / "binary.toml")
    assert str(caught.value) == f"{tmp_path}/binary.toml is not TOML: it is not UTF-8"


def test_a_factory_s_own_type_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault inside a registered factory is a fault, not a wrong option."""

    def broken(**options: Any) -> Policy:
        return len(7)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(policies, "_factories", {**policies._factories, "broken": broken})
    with pytest.raises(TypeError, match=r"^object of type 'int' has no len\(\)$"):
        Pipeline.from_dict(entry("broken"))


def hooked(name: str = "hooked", clock: ManualClock | None = None) -> Custom:
    """What another package's entry point may be."""
    return Custom(Witness(), name=name, clock=clock)


def test_packages_add_types_of_policies_by_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration names them like those of the house."""
    point = EntryPoint("hooked", f"{__name__}:hooked", "seawall.policies")
    monkeypatch.setattr(policies, "_offered", {"hooked": (point,)})
    monkeypatch.setattr(policies, "_factories", dict(policies._factories))
    guard = Pipeline.from_dict({"policies": [{"type": "hooked"}, {"type": "timeout", "seconds": 1}]})
    assert guard.call(len, "abc") == 3
    assert [policy.name for policy in guard] == ["hooked", "timeout"]


def test_the_group_of_entry_points_is_pinned() -> None:
    """Packages rely on these names."""
    assert (policies.entry_points, pipelines.name) == ("seawall.policies", "pipelines")


def test_pipelines_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registered once, made where they are needed; what makes no pipeline is refused."""
    monkeypatch.setattr(pipelines, "_factories", {})
    guard = Pipeline(Custom(Witness()), name="payments")
    pipelines.register("payments", lambda: guard)
    pipelines.register("wrong", lambda: 7)  # type: ignore[arg-type, return-value]
    assert pipelines.create("payments") is guard
    assert pipelines.names() == ("payments", "wrong")
    with pytest.raises(ConfigError) as caught:
        pipelines.create("wrong")
    assert str(caught.value) == "'wrong' of pipelines must make a Pipeline, made int"


def test_a_stale_fallback_can_be_configured() -> None:
    """The last good result, by its type name."""
    guard = Pipeline.from_dict(entry("stale", ttl=60))
    answers: list[Any] = [1, ConnectionError()]

    @guard
    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    assert [ask(), ask()] == [1, 1]
