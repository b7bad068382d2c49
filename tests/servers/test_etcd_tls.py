"""etcd over TLS: the certificate is checked, the name in it, and ours by the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from tests.contract.faces import Faced
from tests.etcd_server import EtcdServer

from seawall.engines import Put, open_engine
from seawall.errors import AuthFailed, ConfigError, Unavailable


@dataclass
class Secured:
    """A server, and the files of those who may talk to it."""

    server: EtcdServer
    ca: str
    cert: str
    key: str

    @property
    def url(self) -> str:
        """By the name in its certificate."""
        return f"etcds://localhost:{self.server.port}"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A server that wants a certificate of its clients too."""
    directory, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    ca = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    files = {}
    for who in ("server", "client"):
        made = authority.issue_cert("localhost" if who == "server" else "client.example")
        for kind, blobs in (("cert", made.cert_chain_pems), ("key", [made.private_key_pem])):
            files[who, kind] = path = directory / f"{who}-{kind}.pem"
            path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    server = EtcdServer(
        tmp_path_factory.mktemp("etcd"),
        **{
            "cert-file": str(files["server", "cert"]), "key-file": str(files["server", "key"]),
            "trusted-ca-file": str(ca), "client-cert-auth": "true",
        },
    )  # fmt: skip
    server.start()
    yield Secured(server, str(ca), str(files["client", "cert"]), str(files["client", "key"]))
    server.stop()


def test_a_known_certificate_is_trusted(secured, runner):
    """And everything works through it: large values, watches, connections that wait."""
    files = {"ca_file": secured.ca, "cert_file": secured.cert, "key_file": secured.key}
    with open_engine(secured.url, lint=False, **files) as engine:
        kv = Faced(engine.key_value("tls"), runner)
        first = kv.put("a", b"x" * 500_000)
        assert kv.get("a").value == b"x" * 500_000
        watch = kv.watch(after=first, heartbeat=0.4)
        assert watch.poll() is None
        second = kv.put("a", b"1")
        assert watch.poll() == Put("a", b"1", second)
        secured.server.kill()
        secured.server.start()
        third = kv.put("a", b"2")
        while (event := watch.poll()) is None:
            pass
        assert event == Put("a", b"2", third)
        watch.close()
        Faced(engine, runner).close()


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_an_unknown_certificate_or_name_is_not(secured, runner, host, trusted):
    """Nothing is sent to whoever that is."""
    options = {"ca_file": secured.ca} if trusted else {}
    engine = open_engine(secured.url.replace("localhost", host), attempts=1, lint=False, **options)
    with pytest.raises(Unavailable, match=r"certificate verify failed|CERTIFICATE_VERIFY_FAILED"):
        Faced(engine.key_value("tls"), runner).put("b", b"")
    Faced(engine, runner).close()


def test_a_server_that_wants_a_certificate_says_so(secured, runner):
    """We have none."""
    engine = open_engine(secured.url, ca_file=secured.ca, attempts=1, lint=False)
    with pytest.raises(AuthFailed) as refused:
        Faced(engine.key_value("tls"), runner).put("b", b"")
    assert str(refused.value).startswith(f"{secured.url} wants a certificate of ours that it trusts: ")
    assert str(refused.value).endswith("; give cert_file and key_file")
    Faced(engine, runner).close()


def test_plain_words_to_a_server_with_tls_are_told(secured, runner):
    """The message names the scheme that would do."""
    url = secured.url.replace("etcds", "etcd")
    engine = open_engine(url, attempts=1, lint=False)
    with pytest.raises(Unavailable) as away:
        Faced(engine.key_value("tls"), runner).put("b", b"")
    assert str(away.value) == (
        f"{url} cannot be reached: it closed the connection, at once; write etcds:// if it wants TLS; see that it runs "
        "and can be reached"
    )
    Faced(engine, runner).close()


def test_files_that_cannot_be_used_are_told_when_opening(secured, tmp_path: Path):
    """Before anything is sent."""
    with pytest.raises(ConfigError) as wrong:
        open_engine(secured.url, ca_file=str(tmp_path / "none.pem"))
    assert str(wrong.value) == (
        f"cannot use the certificates for {secured.url} in {tmp_path / 'none.pem'}: [Errno 2] No such file or directory"
    )
