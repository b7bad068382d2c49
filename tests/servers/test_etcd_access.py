"""An etcd that asks who we are."""

from __future__ import annotations

import pytest
from tests.contract.faces import Faced, next_event
from tests.etcd_server import EtcdServer
from tests.servers.subjects import PATIENT

from seawall.engines import Put, open_engine
from seawall.errors import AuthFailed


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A member that knows root, a user of seawall's keys, and one of other keys."""
    server = EtcdServer(tmp_path_factory.mktemp("etcd"))
    server.start()
    for words in (
        "user add root:correct-horse", "user grant-role root root", "role add ours",
        "role grant-permission ours --prefix=true readwrite seawall/", "user add me:p@ss", "user grant-role me ours",
        "role add theirs", "role grant-permission theirs --prefix=true readwrite other/", "user add they:p@ss",
        "user grant-role they theirs", "auth enable",
    ):  # fmt: skip
        server.control(*words.split())
    yield server
    server.stop()


def test_who_we_are_is_asked(locked, runner, namespace):
    """Without a user, with a wrong password, for a user who may not do this, and for one who may."""
    for credentials, says in (
        ("", "etcdserver: user name is empty; it wants a user and a password: etcd://user:password@host"),
        ("me:wr0ng@", "etcdserver: authentication failed, invalid user ID or password; check user and password in the "
         "URL"),
        ("they:p%40ss@", "etcdserver: permission denied; let a role of this user read and write keys that begin with "
         "seawall/"),
    ):  # fmt: skip
        engine = open_engine(f"etcd://{credentials}{locked.place}", **PATIENT)
        with pytest.raises(AuthFailed) as refused:
            Faced(engine.key_value(), runner).get("a")
        Faced(engine, runner).close()
        assert str(refused.value) == f"{locked.url}: {says}"
    with open_engine(f"etcd://me:p%40ss@{locked.place}", **PATIENT) as engine:
        kv, journal = Faced(engine.key_value(namespace), runner), Faced(engine.journal(namespace), runner)
        first = kv.put("a", b"")
        watch = kv.watch(after=first, heartbeat=0.4)
        second = kv.put("a", b"1")
        assert next_event(watch) == Put("a", b"1", second)
        assert kv.revoke(kv.grant(60))
        journal.append("s", b"1", claim=journal.claim("s", "me", 60))
        assert "p@ss" not in repr(engine)
        watch.close()


def test_a_token_that_is_no_longer_good_is_fetched_again(locked, runner, namespace):
    """After a restart, which forgets tokens, and after a change of users."""
    with open_engine(f"etcd://me:p%40ss@{locked.place}", **PATIENT) as engine:
        kv = Faced(engine.key_value(namespace), runner)
        first = kv.put("a", b"")
        watch = kv.watch(after=first, heartbeat=0.4)
        locked.kill()
        locked.start(ready=False)
        second = kv.put("a", b"1")
        assert next_event(watch) == Put("a", b"1", second)
        locked.control("--user=root:correct-horse", "user", "add", f"{namespace}:x")
        assert kv.compare_and_set("a", b"2", second)
        watch.close()


def test_a_password_that_nobody_wants_is_told_by_lint(shared_etcd):
    """The server lets everybody in."""
    with open_engine(f"etcd://me:pw@{shared_etcd.place}", **PATIENT) as engine:
        assert [finding.setting for finding in engine.lint()] == ["auth", "version", "version", "members"]
