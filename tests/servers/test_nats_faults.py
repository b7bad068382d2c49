"""What only a NATS server does: it is full, locked, old, without JetStream, forgets a stream: clear errors."""

from __future__ import annotations

import json
import secrets
import socket
import threading

import nkeys
import pytest
from tests.contract.faces import Faced
from tests.ports import free_ports
from tests.servers.subjects import PATIENT, QUICK

from seawall.engines import open_engine
from seawall.errors import (
    AuthFailed,
    ConfigError,
    Damaged,
    EngineError,
    Full,
    WrongVersion,
)


def api(engine, name, body=None):
    """Ask JetStream as it is."""

    async def ask(call):
        return await call.api(name, body)

    return engine._driver.wire.execute(ask, 5.0)


def test_another_of_several_servers_will_do(nats, runner):
    """Those that are away are passed over."""
    url = f"nats://127.0.0.1:{free_ports(1)[0]},127.0.0.1:{nats.port}"
    with open_engine(url, **PATIENT) as engine:
        assert Faced(engine.key_value(), runner).put("a", b"") > 0
        assert engine.name == url


def test_a_password_is_needed_and_never_shown(nats_with, runner):
    """Without it, and with a wrong one."""
    nats = nats_with(authorization={"user": "me", "password": "correct horse"})
    host = f"127.0.0.1:{nats.port}"
    for credentials in ("", "me:wr0ng@", "nobody:wr0ng@"):
        with pytest.raises(AuthFailed) as refused:
            Faced(open_engine(f"nats://{credentials}{host}", **QUICK).key_value(), runner).get("a")
        assert str(refused.value) == (
            f"nats://{host}: nats: 'Authorization Violation'; check user and password in the URL, or token, creds and "
            "nkey"
        )
    with open_engine(f"nats://me:correct%20horse@{host}", **QUICK) as engine:
        assert Faced(engine.key_value(), runner).put("a", b"") > 0
        assert "horse" not in repr(engine)


def test_a_token_lets_in(nats_with):
    """Instead of user and password."""
    nats = nats_with(authorization={"token": "s3cr3t"})
    with open_engine(nats.url, token="s3cr3t", **QUICK) as engine:
        assert engine.key_value().put("a", b"") > 0
    with pytest.raises(AuthFailed), open_engine(nats.url, token="other", **QUICK):
        pass


def test_an_nkey_lets_in(nats_with, tmp_path):
    """Its seed stays here."""
    seed = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    (tmp_path / "seed").write_bytes(seed)
    nats = nats_with(authorization={"users": [{"nkey": public}]})
    with open_engine(nats.url, nkey=str(tmp_path / "seed"), **QUICK) as engine:
        assert engine.key_value().put("a", b"") > 0


def test_a_user_who_may_not_is_told_what_to_allow(nats_with, runner):
    """At once: the server refuses beside, and never answers."""
    rights = {"publish": ["$JS.API.>"], "subscribe": ["_INBOX.>"]}
    nats = nats_with(authorization={"users": [{"user": "me", "password": "pw", "permissions": rights}]})
    url = f"nats://127.0.0.1:{nats.port}"
    with open_engine(f"nats://me:pw@127.0.0.1:{nats.port}", **PATIENT) as engine:
        with pytest.raises(AuthFailed) as refused:
            Faced(engine.key_value(), runner).put("a", b"")
        assert str(refused.value).startswith(f"{url}: ")
        assert str(refused.value).endswith(
            "; allow this user to publish to seawall.> and $JS.API.>, and to subscribe to _INBOX.>"
        )


def test_a_full_server_refuses(nats_with, runner):
    """Nothing is half written, and what is there can be read."""
    nats = nats_with(jetstream={"max_file_store": 3_000_000})
    with open_engine(nats.url, **PATIENT) as engine:
        kv = Faced(engine.key_value(), runner)
        kept, said = until_full(kv)
        assert said.startswith(f"{nats.url}: ")
        assert said.endswith("nothing was changed")
        assert [entry.revision for entry in kv.list().entries] == kept


def until_full(kv):
    """Revisions of what was kept, and what was said in the end; it is told a message or two late."""
    kept = []
    for number in range(10):
        try:
            kept.append(kv.put(f"k{number}", b"x" * 900_000))
        except Full as full:
            return kept, str(full)
    raise AssertionError("it never was full")


def test_a_server_without_jetstream_is_told_apart(nats_with, runner):
    """When it is opened, and when it is used without that."""
    nats = nats_with(jetstream=None)
    expected = f"{nats.url} has no JetStream for this account; start it with a jetstream block in its configuration"
    with pytest.raises(EngineError) as refused, open_engine(nats.url, **QUICK):
        pass
    assert str(refused.value) == expected
    with pytest.raises(EngineError) as refused:
        Faced(open_engine(nats.url, **QUICK).key_value(), runner).put("a", b"")
    assert str(refused.value) == expected


def test_an_old_server_is_refused():
    """Before anything is asked of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        old = threading.Thread(target=serve_as, args=(listener, "2.11.9"))
        old.start()
        with pytest.raises(WrongVersion) as refused, open_engine(f"nats://127.0.0.1:{port}", **QUICK):
            pass
        old.join(20)
    assert str(refused.value) == f"nats://127.0.0.1:{port} is NATS 2.11.9; use NATS 2.12 or newer"


def serve_as(listener, version):
    """Greet one client."""
    client, _ = listener.accept()
    with client, client.makefile("rwb") as lines:
        info = {"version": version, "max_payload": 1_048_576, "headers": True, "proto": 1}
        lines.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        lines.flush()
        for line in lines:
            if line.startswith(b"PING"):
                lines.write(b"PONG\r\n")
                lines.flush()


def test_a_stream_that_forgets_is_refused(nats):
    """Somebody has set a limit beyond which keys vanish."""
    with open_engine(nats.url, **PATIENT) as engine:
        config = {"name": "seawall_kv_old", "subjects": ["seawall.kv.old.>"], "max_age": 3_600_000_000_000}
        api(engine, "STREAM.CREATE.seawall_kv_old", config)
        with pytest.raises(Damaged) as refused:
            engine.key_value("old").get("a")
        assert str(refused.value).startswith(f"{nats.url}: stream seawall_kv_old has max_age: 3600000000000, ")
        findings = [finding.setting for finding in engine.lint()]
        assert "max_age of seawall_kv_old" in findings


def test_a_stream_that_was_removed_is_made_anew(nats, runner):
    """What was in it is gone; revisions begin again, and a watch says so."""
    with open_engine(nats.url, **PATIENT) as engine:
        kv = Faced(engine.key_value("gone"), runner)
        for number in range(3):
            kv.put("a", b"%d" % number)
        api(engine, "STREAM.DELETE.seawall_kv_gone")
        assert kv.get("a") is None
        assert kv.put("a", b"") == 1


def test_a_server_that_keeps_less_than_was_said_is_refused(nats_with, runner):
    """Where its monitoring tells its settings."""
    nats = nats_with(jetstream={"sync_interval": "10s"})
    engine = open_engine(nats.url, durability="disk", monitor=nats.monitor, **QUICK)
    with pytest.raises(EngineError) as refused:
        Faced(engine, runner).check()
    assert str(refused.value) == (
        f"{nats.url} has sync_interval 10 s, which is not durability=disk; set `sync_interval: always` in the "
        "jetstream block of every server and restart them one by one, or open it with durability=os"
    )
    engine.close()


def test_settings_that_lose_data_are_warned_of(nats_with):
    """With the danger and the remedy."""
    nats = nats_with(jetstream={"sync_interval": "2m"})
    engine = open_engine(nats.url, monitor=nats.monitor)
    with pytest.warns(RuntimeWarning) as warned:
        engine.check()
    assert [str(each.message) for each in warned] == [
        f"{nats.url}: sync_interval is 120 s: a power cut takes what was acknowledged since, on all replicas at once; "
        "set `sync_interval: always` in the jetstream block of every server and restart them one by one"
    ]
    engine.key_value("a").put("a", b"")
    with open_engine(nats.url, durability="process", lint=False) as fleeting:
        fleeting.key_value("b").put("a", b"")
        fleeting.meter("c").reset("a")
    assert [finding.setting for finding in engine.lint()] == [
        "sync_interval", "num_replicas of seawall_kv_a", "storage of seawall_kv_b", "num_replicas of seawall_kv_b",
    ]  # fmt: skip
    engine.close()
    with open_engine(nats.url, lint=False) as blind:
        assert blind.lint()[0][:2] == ("sync_interval", "not visible")
    with pytest.raises(Damaged, match=r"^.*: stream seawall_kv_b has storage: memory; "):
        open_engine(nats.url, lint=False).key_value("b").get("a")


def test_a_message_the_server_would_not_take_is_a_clear_error(nats_with):
    """Nothing is sent; the remedy is a setting of the server."""
    nats = nats_with(max_payload=10_000)
    with open_engine(nats.url, **QUICK) as engine, pytest.raises(ConfigError) as refused:
        engine.key_value().put("a", b"x" * 20_000)
    assert str(refused.value) == (
        f"{nats.url}: 20,014 bytes are more than the 10,000 of its max_payload; raise max_payload there to "
        "1,100,000 at least"
    )
