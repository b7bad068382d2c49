"""Requests over TLS by aiohttp against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.measure.servers import Certificates, serving

from seawall.errors import ConfigError
from seawall.measure.load import Constant, LoadResult, LoadTest, Request


async def hello(_request: web.Request) -> web.Response:
    """Answer at once."""
    return web.Response(text="hello")


async def load(request: Request) -> LoadResult:
    """A short run."""
    return await LoadTest(request, Constant(50), duration=0.2).run_async()


async def test_certificates_are_verified_unless_told_otherwise(tmp_path: Path) -> None:
    """A server of an unknown authority is a tls outcome; it can be trusted by file, or without looking."""
    certificates = Certificates(tmp_path)
    async with serving(hello, certificates.context) as url:
        refused = await load(Request(url))
        trusted = await load(Request(url, verify=certificates.trusted))
        unverified = await load(Request(url, verify=False))
        named_otherwise = await load(Request(url.replace("127.0.0.1", "localhost"), verify=certificates.trusted))
    assert refused.outcomes == {"tls": 10}
    assert refused.first_error is not None
    assert "certificate verify failed" in refused.first_error
    assert trusted.outcomes == unverified.outcomes == {"2xx": 10}
    assert trusted.scenarios[0].engine == "HTTP/1.1 by aiohttp over TLS"
    assert unverified.scenarios[0].engine == "HTTP/1.1 by aiohttp over TLS, certificates not verified"
    assert named_otherwise.outcomes == {"tls": 10}


def test_bad_verification(tmp_path: Path) -> None:
    """What cannot be trusted, or belongs to no https URL, is refused before anything is sent."""
    file = tmp_path / "roots.pem"
    with pytest.raises(ConfigError) as caught:
        Request("https://a/", verify=file)
    assert str(caught.value) == (
        f"verify must be a file or a directory of certificates in PEM, got {str(file)!r}: "
        "[Errno 2] No such file or directory"
    )
    file.write_text("no certificate")
    with pytest.raises(ConfigError) as caught:
        Request("https://a/", verify=str(file))
    assert str(caught.value).startswith(
        f"verify must be a file or a directory of certificates in PEM, got {str(file)!r}: "
    )
    with pytest.raises(ConfigError) as caught:
        Request("http://a/", verify=False)
    assert str(caught.value) == "verify goes with an https:// URL, got 'http://a/'; leave it out"
    with pytest.raises(ConfigError) as caught:
        Request("https://a/", verify=5)  # type: ignore[arg-type]
    assert str(caught.value) == "verify must be True, False or a file of certificates, got 5"
