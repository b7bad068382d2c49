"""Redis without a server: URLs, options, settings, and what errors mean."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from seawall.engines import Require, open_engine
from seawall.engines._guarantees import Durability
from seawall.engines._url import parse_url
from seawall.engines.redis import RedisOptions, _settings
from seawall.engines.redis._errors import refused
from seawall.engines.redis._place import place_of
from seawall.errors import AuthFailed, ConfigError, EngineError, ReadOnly, Unavailable, WrongVersion


def settings_of(url: str, **options: object) -> dict[str, object]:
    """What the client library is given, without what was left out."""
    given = place_of(parse_url(url), RedisOptions(**options)).settings
    return {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(
    ("url", "given"),
    [
        ("redis://", {"host": "localhost", "port": 6379, "db": 0}),
        ("valkey://h:1/2", {"host": "h", "port": 1, "db": 2}),
        ("redis://[::1]:7", {"host": "::1", "port": 7, "db": 0}),
        ("redis://me:a%40b@h", {"host": "h", "port": 6379, "db": 0, "username": "me", "password": "a@b"}),
        ("redis://:pw@h", {"host": "h", "port": 6379, "db": 0, "password": "pw"}),
        ("unix:///run/v.sock", {"path": "/run/v.sock", "db": 0}),
        ("unix://:pw@/run/v.sock", {"path": "/run/v.sock", "db": 0, "password": "pw"}),
    ],
)
def test_a_url_says_where(url, given):
    """Host, port, database, user and password; a path for a socket."""
    assert settings_of(url) == {**given, "protocol": 2}


def test_tls_is_checked():
    """The certificate and the name in it, by the system's authorities or the given ones."""
    given = settings_of("rediss://h", ca_file="ca.pem", cert_file="c.pem", key_file="k.pem")
    assert {name: value for name, value in given.items() if name.startswith("ssl")} == {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": "ca.pem",
        "ssl_certfile": "c.pem",
        "ssl_keyfile": "k.pem",
    }


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://a,b", "redis:// takes one host, got redis://a,b; clusters are not supported"),
        (
            "redis://:secret@a/x",
            "write the number of the database once, redis://host:6379/0, got redis://a/x",
        ),
        ("redis://a/1?db=2", "write the number of the database once, redis://host:6379/0, got redis://a/1"),
        ("unix://host/x", "write unix:///path/of/the.sock?db=0, got unix://host/x"),
        ("redis://a?cert_file=c", "cert_file and key_file must be given together; give both, or neither"),
    ],
)
def test_a_wrong_url_is_told_at_once(url, message):
    """Without its password."""
    with pytest.raises(ConfigError) as wrong:
        open_engine(url)
    assert str(wrong.value) == message


def test_a_missing_library_names_the_extra(monkeypatch):
    """When it is opened, not when it is used."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "seawall.engines.redis._engine")
    monkeypatch.delitem(sys.modules, "seawall.engines.redis")
    with pytest.raises(ConfigError) as missing:
        open_engine("redis://h")
    assert str(missing.value) == "redis:// needs the library redis: pip install 'seawall[redis]'"


def test_what_the_server_must_keep_is_required_at_once():
    """Unless the option says that it is set up so."""
    with pytest.raises(ConfigError) as short:
        open_engine("redis://h", require=Require(durability=Durability.disk))
    assert str(short.value) == (
        "redis://h cannot promise durability disk (it has process); require less, or see docs/reference/engines.md for "
        "an engine that can"
    )
    open_engine("redis://h?durability=disk", require=Require(durability=Durability.disk))


@pytest.mark.parametrize(
    ("config", "found", "settings"),
    [
        ({"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}, {}, []),
        ({"appendonly": "no", "appendfsync": "everysec"}, {}, ["appendonly"]),
        ({"appendonly": "yes", "appendfsync": "everysec"}, {}, ["appendfsync"]),
        ({"appendonly": "yes", "appendfsync": "no"}, {}, ["appendfsync"]),
        (
            {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "yes"},
            {},
            ["no-appendfsync-on-rewrite"],
        ),
        ({"maxmemory-policy": "allkeys-lru"}, {}, ["maxmemory-policy"]),
        ({"min-replicas-to-write": "0"}, {"connected_slaves": "2"}, ["min-replicas-to-write"]),
        ({"min-replicas-to-write": "1"}, {"connected_slaves": "2"}, []),
        ({}, {}, []),
    ],
)
def test_settings_that_lose_data_are_found(config, found, settings):
    """And no others."""
    assert [finding.setting for finding in _settings.findings(config, found)] == settings


@pytest.mark.parametrize(
    ("found", "kind", "message"),
    [
        ({"redis_version": "6.2.14"}, WrongVersion, "h speaks as Redis 6.2.14; use Valkey, or Redis 7.0 or newer"),
        (
            {"redis_version": "7.2.4", "redis_mode": "cluster"},
            WrongVersion,
            "h is a node of a cluster; clusters are not supported: use a server that has all keys",
        ),
        (
            {"redis_version": "7.2.4", "role": "slave", "master_host": "m"},
            ReadOnly,
            "h is a replica of m; connect to the primary",
        ),
    ],
)
def test_a_server_that_cannot_be_used_is_refused(found, kind, message):
    """With the way out."""
    with pytest.raises(kind) as wrong:
        _settings.usable(found, "h")
    assert str(wrong.value) == message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("LOADING the dataset", Unavailable),
        ("BUSY a script", Unavailable),
        ("NOREPLICAS Not enough good replicas to write.", Unavailable),
        ("MISCONF cannot persist", ReadOnly),
        ("MOVED 1 h:2", WrongVersion),
        ("ERR unknown command 'X'", WrongVersion),
        ("ERR anything", EngineError),
    ],
)
def test_refusals_have_a_meaning(text, kind):
    """By their first word, whatever class the library gives them."""
    assert type(refused(Exception(text), "h")) is kind
    assert str(refused(Exception(text), "h")).startswith(f"h: {text}; ")


def looked_at(answer: Exception) -> object:
    """What `lint` makes of a server that says who it is, and then answers to CONFIG GET with an error."""
    look = open_engine("redis://h")._lint()
    next(look)
    look.send(b"redis_version:7.2.4\r\n")
    try:
        look.throw(answer)
    except StopIteration as done:
        return done.value
    return None


def test_settings_that_may_not_be_seen_are_a_finding_and_a_silent_server_is_none():
    """A server that went away in between does not have a user without rights."""
    refusal = AuthFailed("h: NOPERM")
    assert looked_at(refusal) == (_settings.unseen(refusal),)
    with pytest.raises(Unavailable, match=r"^gone$"):
        looked_at(Unavailable("gone"))
