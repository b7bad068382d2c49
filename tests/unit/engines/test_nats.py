"""NATS without a server: URLs, options, names, times, and what errors mean."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.engines import Consistency, Durability, Require, open_engine
from seawall.engines._url import parse_url
from seawall.engines.nats import NatsOptions
from seawall.engines.nats._errors import Refused, not_reached, translated
from seawall.engines.nats._leases import ENDED, alive
from seawall.engines.nats._message import OPERATION, TTL, UNTIL, Message, ns_of, of_answer
from seawall.engines.nats._names import below, key_of, path, text_of, token
from seawall.engines.nats._place import place_of
from seawall.engines.nats._settings import Seen, findings
from seawall.engines.nats._trim import replaced
from seawall.errors import AuthFailed, ConfigError, EngineError, Full, Unavailable, WrongVersion


@pytest.mark.parametrize(
    ("url", "servers", "given_"),
    [
        ("nats://", ("nats://localhost:4222",), {}),
        ("nats://a:1,b", ("nats://a:1", "nats://b:4222"), {}),
        ("nats://me:a%40b@[::1]:7", ("nats://[::1]:7",), {"user": "me", "password": "a@b"}),
        ("nats://h?token=t", ("nats://h:4222",), {"token": "t"}),
    ],
)
def test_a_url_says_where(url, servers, given_):
    """Hosts, ports, user and password, or a token."""
    address = parse_url(url)
    place = place_of(address, NatsOptions(**address.query))
    assert place.servers == servers
    assert place.settings == {"name": "seawall", **given_}
    assert "a@b" not in repr(place)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nats://h/x", "nats:// takes hosts only, like nats://host1:4222,host2, got nats://h/x"),
        (
            "nats://me:pw@h?token=t",
            "nats://h: give user and password, or one of token, creds and nkey; not both",
        ),
        ("nats://h?creds=/none/x", "creds must be a file, got '/none/x', which is none"),
        ("nats://h?nkey=/none/x", "nkey must be a file, got '/none/x', which is none"),
        ("nats://h?token=a&creds=b", "token, creds and nkey are different ways to authenticate; give one of them"),
        ("nats://h?cert_file=a", "cert_file and key_file must be given together; give both, or neither"),
        ("nats://h?monitor=h:8222", "monitor must be like http://host:8222, got 'h:8222'"),
        (
            "tls://h?ca_file=/none/x",
            "ca_file, cert_file or key_file (/none/x, -, -) cannot be used: [Errno 2] No such file or directory; give "
            "files in PEM",
        ),
        (
            "nats://h?replicas=0",
            "replicas must be 1 to 5, got 0; copies of each new stream in a cluster; odd numbers",
        ),
    ],
)
def test_what_can_never_work_is_told_at_once(url, message):
    """The message names what is wrong and the way out."""
    with pytest.raises(ConfigError) as refused:
        open_engine(url)
    assert str(refused.value) == message


def test_it_promises_what_it_was_opened_for():
    """Durability by option, consistency by replicas, less for limits."""
    engine = open_engine("nats://h?durability=disk&replicas=3")
    assert engine.guarantees.durability is Durability.disk
    assert engine.guarantees.consistency is Consistency.sequential
    assert engine.meter().guarantees.durability is Durability.process
    assert open_engine("nats://h").guarantees.consistency is Consistency.linearizable
    with pytest.raises(ConfigError, match=r"^nats://h cannot promise durability disk \(it has os\); "):
        open_engine("nats://h", require=Require(durability=Durability.disk))


def test_without_its_library_the_extra_is_named(monkeypatch):
    """Before anything is connected."""
    for name in [each for each in sys.modules if each.split(".")[0] == "nats"]:
        monkeypatch.delitem(sys.modules, name)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "nats" else find(name, *more))
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(ConfigError) as refused:
        open_engine("nats://h")
    assert str(refused.value) == "nats:// needs the library nats-py: pip install 'seawall[nats]'"


TEXT = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" /"), max_size=40)


@given(TEXT)
def test_any_text_becomes_tokens_and_comes_back(text):
    """Of what a subject may have, and none of them empty."""
    assert text_of(token(text)) == text
    assert key_of(path(text)) == text
    assert all(re.fullmatch(r"[A-Za-z0-9_=-]+", part) for part in path(text).split("."))


@given(TEXT, TEXT)
def test_different_texts_have_different_subjects(one, other):
    """As keys and as tokens."""
    assert (path(one) == path(other)) is (one == other)
    assert (token(one) == token(other)) is (one == other)


@given(TEXT.filter(bool), st.integers(0, 40))
def test_a_filter_covers_every_key_with_the_prefix(key, size):
    """It may cover more; those are sorted out here."""
    fixed = below(key[:size]).removesuffix(">")
    assert path(key).startswith(fixed)
    assert len(path(key)) > len(fixed)


@pytest.mark.parametrize(
    ("time", "ns"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("2026-11-24T15:02:09.192858552Z", 1_795_532_529_192_858_552),
        ("1970-01-01T01:00:00.5+01:00", 500_000_000),
    ],
)
def test_times_are_exact_to_the_nanosecond(time, ns):
    """With any number of digits and any zone."""
    assert ns_of(time) == ns


def message(at_ns, **headers):
    """A message."""
    return Message("s", 7, {name.replace("_", "-"): str(value) for name, value in headers.items()}, b"", at_ns)


def test_a_message_is_read_with_its_headers():
    """As the server answers; without headers too."""
    found = {"subject": "s", "seq": 3, "time": "1970-01-01T00:00:00Z", "data": "MQ=="}
    assert of_answer(found) == Message("s", 3, {}, b"1", 0)
    found["hdrs"] = "TkFUUy8xLjANClNlYXdhbGwtVHRsOiA1DQoNCg=="
    assert of_answer(found).headers == {TTL: "5"}


def test_a_lease_lives_until_its_time_is_over():
    """Not a nanosecond longer; not when its last sign of life came too late, or it was ended."""
    assert alive(message(100, **{TTL: 50}), 149) == (7, 150, 50)
    assert alive(message(100, **{TTL: 50}), 150) is None
    assert alive(message(100, **{TTL: 50, UNTIL: 101}), 149) is not None
    assert alive(message(100, **{TTL: 50, UNTIL: 100}), 149) is None
    assert alive(message(100, **{OPERATION: ENDED}), 100) is None
    assert alive(None, 100) is None


def test_what_leaves_the_history_is_what_was_replaced():
    """The last of each key stays; a deletion goes too; what came too late does not count."""
    told = [("a", 1, {}), ("a", 2, {}), ("b", 3, {}), ("b", 4, {OPERATION: "deleted"}), ("a", 5, {UNTIL: "0"})]
    messages = [Message(subject, sequence, headers, b"", 9) for subject, sequence, headers in told]
    assert dict(replaced(messages)) == {"a": 2, "b": 5}


@pytest.mark.parametrize(
    ("code", "text", "kind", "remedy"),
    [
        (10047, "insufficient storage resources available", Full, "raise max_file_store"),
        (10999, "maximum something exceeded", Full, "raise the server's limits"),
        (10008, "JetStream system temporarily unavailable", Unavailable, "it is starting, looking for a leader"),
        (10077, "write /data/x: no space left on device", Full, "raise the server's limits or free space"),
        (10210, "atomic publish too many inflight", Unavailable, "others ask for too much at once"),
        (10076, "JetStream not enabled", EngineError, "enable JetStream there"),
        (10074, "replicas > 1 not supported in non-clustered mode", EngineError, "open it with replicas=1"),
        (10185, "JetStream minimum api level required", WrongVersion, "use NATS 2.12 or newer"),
        (1, "something", EngineError, "see the server's log"),
    ],
)
def test_an_error_of_the_server_says_what_to_do(code, text, kind, remedy):
    """By its number, or by its words."""
    error = translated(Refused(code, text), "nats://h")
    assert type(error) is kind
    assert str(error).startswith(f"nats://h: {text}; {remedy}")


def test_settings_are_judged_by_what_is_asked_of_them():
    """What cannot be seen is said, unless nothing is promised."""
    assert [found.value for found in findings(Seen((), None), "os")] == ["not visible"]
    assert list(findings(Seen((), None), "process")) == []
    assert list(findings(Seen((), {"sync_always": True}), "disk")) == []
    streams = ({"name": "seawall_kv_a", "storage": "file", "num_replicas": 3, "max_age": 0, "max_bytes": 5},)
    assert [found.setting for found in findings(Seen(streams, {"sync_always": True}), "disk")] == [
        "max_bytes of seawall_kv_a"
    ]


def test_a_refused_login_is_not_taken_for_a_server_that_is_away():
    """By what the client library says."""
    assert isinstance(not_reached("nats: 'Authorization Violation'", "nats://h"), AuthFailed)
    assert isinstance(not_reached("Connect call failed", "nats://h"), Unavailable)
