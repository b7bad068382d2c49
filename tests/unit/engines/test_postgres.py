"""What is said to a PostgreSQL server, what its errors mean, and how it is addressed: without one."""

from __future__ import annotations

import pytest

from seawall.engines._url import parse_url
from seawall.engines.postgres import PostgresOptions
from seawall.engines.postgres._engine import _parameters
from seawall.engines.postgres._errors import broken, refused, translated
from seawall.engines.postgres._lint import findings
from seawall.engines.postgres._step import Message, Settings, Step, transaction
from seawall.errors import (
    AuthFailed,
    ConfigError,
    Damaged,
    EngineError,
    Full,
    ReadOnly,
    Unavailable,
    UnknownOutcome,
    WrongVersion,
)

WRITE = Step((("SELECT f(%s)", (1,)), ("SELECT g(%s)", (2,))))


def test_a_write_is_one_message_with_its_bounds():
    """From begin to commit; only its loss leaves the outcome open."""
    assert next(transaction(WRITE, Settings(), 5.0)) == Message(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 4500; SELECT f(%s); SELECT g(%s); COMMIT",
        (1, 2),
        may_change=True,
    )


def test_a_durable_write_waits_for_the_disk_on_a_relaxed_server():
    """And one that need not be durable never waits."""
    durable = next(transaction(WRITE, Settings(relaxed=True), 5.0))
    assert "; SET LOCAL synchronous_commit = on; " in durable.sql
    quick = next(transaction(Step(WRITE.statements, durable=False), Settings(), 5.0))
    assert "; SET LOCAL synchronous_commit = off; " in quick.sql


def test_a_read_sees_one_instant_and_changes_nothing():
    """All its statements see the same."""
    assert next(transaction(Step((("SELECT 1", ()),), write=False), Settings(), 0.2)) == Message(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 100; SELECT 1; COMMIT"
    )


def test_a_change_does_not_begin_when_its_time_is_all_but_over():
    """It could only end with an unknown outcome."""
    with pytest.raises(Unavailable) as short:
        next(transaction(WRITE, Settings(), 0.019))
    assert str(short.value) == "19 ms are too short for a change to begin; nothing was changed"


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("25006", ReadOnly), ("28P01", AuthFailed), ("42501", AuthFailed), ("53100", Full), ("53300", Unavailable),
        ("40001", Unavailable), ("40P01", Unavailable), ("57014", Unavailable), ("57P03", Unavailable),
        ("3F000", Damaged), ("XX001", Damaged), ("0A000", WrongVersion), ("22012", EngineError),
    ],
)  # fmt: skip
def test_an_error_is_of_the_family_that_its_state_says(state, kind):
    """By SQLSTATE, never by the words, which may be in any language."""
    assert type(translated(state, "Fehler.\nDETAIL: mehr", "pg")) is kind


def test_messages_say_what_to_do():
    """The server's first line, then the remedy."""
    assert str(translated("25006", "cannot execute UPDATE in a read-only transaction\nCONTEXT: x", "pg")) == (
        "pg: cannot execute UPDATE in a read-only transaction; connect to the primary, or switch off "
        "default_transaction_read_only"
    )
    assert str(translated("22012", "division by zero", "pg")) == "pg: division by zero (SQLSTATE 22012); see the cause"
    assert str(refused("FATAL:  password authentication failed for user", "pg")) == (
        "pg: FATAL:  password authentication failed for user; see to user, password and pg_hba.conf"
    )


def test_a_lost_answer_is_unknown_only_where_something_may_have_changed():
    """A read that is lost has changed nothing."""
    assert type(broken("server closed the connection", "pg", may_change=True)) is UnknownOutcome
    assert type(broken("", "pg", may_change=False)) is Unavailable
    assert str(broken("", "pg", may_change=False)) == "pg: the connection was lost; nothing was changed"


def test_a_url_says_where_the_server_is():
    """Hosts with ports, a socket's directory, and options; what is not said is left to the client library."""
    url = parse_url("postgresql://me:p%40ss@a:1,b/db")
    assert _parameters(url, PostgresOptions()) == {
        "host": "a,b", "port": "1,", "dbname": "db", "user": "me", "password": "p@ss",
        "application_name": "seawall", "target_session_attrs": "read-write", "client_encoding": "UTF8",
    }  # fmt: skip
    socket = _parameters(parse_url("postgres://%2Frun%2Fpg/db"), PostgresOptions(sslmode="disable"))
    assert (socket["host"], socket["sslmode"]) == ("/run/pg", "disable")
    assert _parameters(parse_url("postgresql:///"), PostgresOptions(host="/run/pg"))["host"] == "/run/pg"
    with pytest.raises(ConfigError) as twice:
        _parameters(parse_url("postgresql://a/db"), PostgresOptions(host="b"))
    assert str(twice.value) == "host: given in the URL as postgresql://a/db and as an option; give it once"


def test_replicas_that_nobody_waits_for_are_a_finding():
    """A failover would lose what they have not seen."""
    assert findings([("on", "on", "on", "", 0)]) == ()
    assert findings([("on", "on", "on", "ANY 1 (a)", 2)]) == ()
    assert [finding.setting for finding in findings([("on", "on", "on", "", 1)])] == ["synchronous_standby_names"]
