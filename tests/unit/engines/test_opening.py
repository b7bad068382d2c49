"""Opening engines: URLs, options, requirements."""

from __future__ import annotations

import pytest

from seawall.clock import ManualClock
from seawall.engines import Consistency, Durability, Require, engines, open_engine
from seawall.engines._registry import missing_library
from seawall.engines._url import parse_url
from seawall.engines.memory import MemoryEngine
from seawall.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("nothing", {}, "url must be like sqlite:///state.db or redis://host:6379/0, got text without ://"),
        (5, {}, "url must be like sqlite:///state.db or redis://host:6379/0, got int"),
        ("memory://a:1", {}, "memory:// takes at most a name, memory://name, got memory://a:1"),
        ("redis2://x:99999", {}, "the port in redis2://x:99999 must be 1 to 65535"),
        (
            "sqlite://",
            {},
            "write sqlite:///relative.db or sqlite:////absolute/path.db, got sqlite://; for memory, memory://",
        ),
        (
            "memory://?pool_size=2",
            {"pool_size": 2},
            "pool_size: given in the URL and as a keyword; give it once",
        ),
        ("memory://?pool_size=2&pool_size=3", {}, "an option is given twice in the query of memory://; give it once"),
        (
            "memory://?operation_timeout=0",
            {},
            "operation_timeout must be 0.001 to 3600 s, got 0.0; longest time of one operation, its retries included",
        ),
    ],
)
def test_what_can_never_work_is_told_at_once(url, options, message):
    """The message names what is wrong and the way out."""
    with pytest.raises(ConfigError) as refused:
        open_engine(url, **options)
    assert str(refused.value) == message


def test_an_unknown_scheme_names_the_known_ones():
    """And the third-party ones, if there are any."""
    with pytest.raises(ConfigError, match=r"^no engine for nosql://; there are .*memory://, .*sqlite://"):
        open_engine("nosql://x")


def test_a_package_can_bring_an_engine():
    """By its scheme; options, requirements and messages are the same as for ours."""

    class Elsewhere(MemoryEngine):
        """Somebody's own."""

    engines.register("elsewhere", lambda: Elsewhere)
    with open_engine("elsewhere://", history=3) as engine:
        assert type(engine) is Elsewhere
    with pytest.raises(
        ConfigError, match=r"^no engine for nosql://; there are elsewhere://, etcd://, etcds://, memory://, "
    ):
        open_engine("nosql://x")


def test_a_missing_library_names_the_extra():
    """So that one command repairs it."""
    assert str(missing_library("redis", "redis", "redis")) == (
        "redis:// needs the library redis: pip install 'seawall[redis]'"
    )


def test_options_come_from_the_url_or_from_keywords():
    """Numbers are read, and checked, either way."""
    one = open_engine("memory://?history=5&operation_timeout=1.5")._driver.options
    two = open_engine("memory://", history=5, operation_timeout=1.5)._driver.options
    assert one == two
    assert one.timeout == 1.5


def test_requiring_more_than_there_is_fails_at_once():
    """The error names each shortfall; enough passes."""
    with pytest.raises(ConfigError) as refused:
        open_engine("memory://", require=Require(durability=Durability.disk, transactional=True, lease_precision=0.5))
    assert str(refused.value) == (
        "memory:// cannot promise durability disk (it has none) nor transactional True (it has False); require less, "
        "or see docs/reference/engines.md for an engine that can"
    )
    open_engine("memory://", require=Require(consistency=Consistency.linearizable, fencing=True, watch_latency=0.01))


def test_sqlite_promises_what_its_options_give(tmp_path):
    """Less durable when asked to be."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    disk = Require(durability=Durability.disk)
    engine = open_engine(url, require=disk)
    assert engine.meter().guarantees.durability is Durability.os
    with pytest.raises(ConfigError, match=r"cannot promise durability disk \(it has os\)"):
        open_engine(url, durability="os", require=disk)


def test_a_password_is_in_no_message():
    """Neither in the repr nor in what is shown."""
    address = parse_url("redis://me:s%40cret@a:1,b:2/0?x=1")
    assert (address.user, address.password, address.hosts) == ("me", "s@cret", (("a", 1), ("b", 2)))
    assert (address.path, address.query, address.shown) == ("0", {"x": "1"}, "redis://a:1,b:2/0")
    assert "cret" not in repr(address)


def test_ipv6_hosts_are_told_from_ports():
    """In brackets, with and without a port."""
    assert parse_url("etcd://[::1]:2379,[fe80::1]").hosts == (("::1", 2379), ("fe80::1", None))


def test_named_memory_is_shared_while_anybody_has_it():
    """By engines of one clock."""
    clock = ManualClock()
    one, two = open_engine("memory://shared-name", clock=clock), open_engine("memory://shared-name", clock=clock)
    one.key_value().put("a", b"1")
    assert two.key_value().get("a").value == b"1"
    one.close()
    assert two.key_value().get("a").value == b"1"
    assert open_engine("memory://").key_value().get("a") is None
    with pytest.raises(ConfigError, match=r"^memory://shared-name goes by ManualClock\(0\) already; "):
        open_engine("memory://shared-name", clock=ManualClock())


@pytest.mark.parametrize("namespace", ["", "a b", "a" * 65, "é", "a/b"])
def test_a_namespace_is_a_short_plain_name(namespace):
    """It becomes part of names in every engine."""
    with pytest.raises(ConfigError, match=r"^namespace must be 1 to "):
        open_engine("memory://").key_value(namespace)
