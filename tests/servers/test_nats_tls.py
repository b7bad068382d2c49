"""NATS over TLS: the certificate is checked, and so is the name in it, and nothing is sent in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.contract.faces import Faced
from tests.nats_server import NatsServer

from seawall.engines import Put, open_engine
from seawall.errors import Unavailable

QUICK = {"operation_timeout": 2.0, "attempts": 1, "lint": False}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, and a certificate of it for localhost and one for a client."""
    directory = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    for name, issued in (("server", ca.issue_cert("localhost")), ("client", ca.issue_cert("client@example.org"))):
        issued.cert_chain_pems[0].write_to_path(str(directory / f"{name}.pem"))
        issued.private_key_pem.write_to_path(str(directory / f"{name}.key"))
    return directory


@pytest.fixture(scope="module")
def server(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that only speaks TLS, and wants to see a certificate."""
    tls = {
        "cert_file": str(authority / "server.pem"), "key_file": str(authority / "server.key"),
        "ca_file": str(authority / "ca.pem"), "verify": True,
    }  # fmt: skip
    started = NatsServer(tmp_path_factory.mktemp("nats-tls"), {}, tls=tls)
    started.start()
    yield started
    started.stop()


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


def trusting(authority: Path) -> dict[str, str]:
    """Options with an authority, and a certificate of our own."""
    files = (("ca_file", "ca.pem"), ("cert_file", "client.pem"), ("key_file", "client.key"))
    return {option: str(authority / name) for option, name in files}


def test_a_known_certificate_is_trusted(authority, server, runner):
    """And everything works through it, watches too."""
    with open_engine(f"tls://localhost:{server.port}", lint=False, **trusting(authority)) as engine:
        kv = Faced(engine.key_value("tls"), runner)
        first = kv.put("a", b"x" * 500_000)
        assert kv.get("a").revision == first
        watch = kv.watch(after=first, heartbeat=0.4)
        assert watch.poll() is None
        second = kv.put("a", b"1")
        assert watch.poll() == Put("a", b"1", second)
        watch.close()


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_an_unknown_certificate_or_name_is_not(authority, server, runner, host, trusted):
    """Nothing is sent to whoever that is."""
    options = trusting(authority) if trusted else {}
    engine = open_engine(f"tls://{host}:{server.port}", **QUICK, **options)
    with pytest.raises(Unavailable, match=r"certificate verify failed|CERTIFICATE_VERIFY_FAILED"):
        Faced(engine.key_value("tls"), runner).put("b", b"")
    Faced(engine, runner).close()


def test_a_server_without_tls_is_not_told_the_password(authority, nats, runner):
    """The client library would send it in the clear."""
    engine = open_engine(f"tls://me:secret@localhost:{nats.port}", **QUICK, **trusting(authority))
    with pytest.raises(Unavailable) as refused:
        Faced(engine.key_value(), runner).put("a", b"")
    assert str(refused.value) == (
        f"tls://localhost:{nats.port} cannot be reached: the server does not ask for TLS, and tls:// sends nothing "
        "without it; see that it runs and can be reached"
    )
    Faced(engine, runner).close()
