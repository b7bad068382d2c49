"""Unary calls over gRPC against a real server with handlers of plain bytes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.unit.measure.servers import Certificates, free_port

from seawall.errors import ConfigError
from seawall.measure.load import Constant, GrpcCall, LoadResult, LoadTest


class Service(grpc.GenericRpcHandler):
    """Answers as the method's name says, and notes what it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, str | None]] = []

    def service(self, details: Any) -> grpc.RpcMethodHandler:
        """The handler of a method."""
        name = details.method.rpartition("/")[2]

        async def answer(message: bytes, context: grpc.aio.ServicerContext) -> bytes:
            metadata = dict(context.invocation_metadata() or ())
            self.seen.append((message, metadata.get("tenant")))
            if name == "Never":
                await asyncio.Event().wait()
            if name != "Echo":
                await context.abort(grpc.StatusCode[name], "cannot connect to the database")
            return message * 2

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def serving(service: Service, certificates: Certificates | None = None) -> AsyncIterator[str]:
    """A server on a free port."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((service,))
    if certificates is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([certificates.pair]))
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def load(target: GrpcCall, **options: Any) -> LoadResult:
    """A short run."""
    return await LoadTest(target, Constant(50), duration=0.2, **options).run_async()


async def test_calls_are_made_and_messages_take_turns() -> None:
    """Each call carries the next message and the metadata, and the bytes of the answers are counted."""
    service = Service()
    async with serving(service) as address:
        result = await load(GrpcCall(address, "/test.Test/Echo", [b"a", b"bc"], metadata={"tenant": "7"}))
    assert (result.outcomes, result.succeeded) == ({"grpc OK": 10}, 10)
    assert sorted(service.seen) == [(b"a", "7")] * 5 + [(b"bc", "7")] * 5
    assert sum(result.throughput.bytes) == 5 * 2 + 5 * 4
    assert result.scenarios[0].engine == "gRPC by grpcio"
    assert result.target == f"gRPC {address}/test.Test/Echo"


@pytest.mark.parametrize("status", ["NOT_FOUND", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"])
async def test_statuses_are_outcomes(status: str) -> None:
    """What a server answers is its own status, also where its words sound like a connection that failed."""
    async with serving(Service()) as address:
        result = await load(GrpcCall(address, f"/test.Test/{status}"))
    assert (result.outcomes, result.succeeded) == ({f"grpc {status}": 10}, 0)
    assert result.errors == {f"grpc {status}": "cannot connect to the database"}
    assert not result.unreachable


async def test_the_deadline_is_a_timeout() -> None:
    """A call that outlasts the timeout counts as one."""
    async with serving(Service()) as address:
        result = await load(GrpcCall(address, "/test.Test/Never"), timeout=0.2)
    assert result.outcomes == {"timeout": 10}


async def test_what_is_not_there() -> None:
    """Refusing ports and unknown names have the same kinds as over HTTP."""
    refused = await load(GrpcCall(f"127.0.0.1:{free_port()}", "/a.B/C"))
    assert set(refused.outcomes) == {"connection refused"}, refused.errors
    unknown = await load(GrpcCall("nowhere.invalid:80", "/a.B/C"))
    assert set(unknown.outcomes) == {"dns"}, unknown.errors


async def test_over_tls(tmp_path: Path) -> None:
    """A server is trusted by the roots that are given, and is a tls outcome without."""
    certificates = Certificates(tmp_path)
    async with serving(Service(), certificates) as address:
        trusted = await load(GrpcCall(address, "/test.Test/Echo", b"x", secure=True, roots=certificates.roots))
        refused = await load(GrpcCall(address, "/test.Test/Echo", b"x", secure=True))
    assert trusted.outcomes == {"grpc OK": 10}, trusted.errors
    assert trusted.scenarios[0].engine == "gRPC by grpcio over TLS"
    assert set(refused.outcomes) == {"tls"}, refused.errors


def test_bad_calls() -> None:
    """What can never be called is refused with what could."""
    for made, message in (
        (
            lambda: GrpcCall("localhost", "/a.B/C"),
            "address must be a host and a port, got 'localhost'; for example 127.0.0.1:50051",
        ),
        (lambda: GrpcCall("a:1", "a.B.C"), "method must be /package.Service/Method, got 'a.B.C'"),
        (lambda: GrpcCall("a:1", "/a.B/C", "x"), "message must be bytes, got 'x'; use request.SerializeToString()"),
        (
            lambda: GrpcCall("a:1", "/a.B/C", []),
            "message must be one, or a list with at least one that take turns, got none",
        ),
        (lambda: GrpcCall("a:1", "/a.B/C", roots=b"x"), "roots go with secure=True; leave them out"),
    ):
        with pytest.raises(ConfigError) as caught:
            made()
        assert str(caught.value) == message


async def test_without_its_library_a_call_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grpcio is no dependency of seawall."""
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ConfigError) as caught:
        await load(GrpcCall("127.0.0.1:9", "/a.B/C"))
    assert str(caught.value) == "a GrpcCall needs grpcio; install it with `pip install grpcio`"


def test_callables_need_no_library() -> None:
    """A run of a failing callable imports none of the clients."""
    code = (
        "import sys; from seawall.measure.load import *\n"
        "async def f(): raise ConnectionRefusedError\n"
        "r = LoadTest(f, Constant(100), duration=0.05).run(); assert r.outcomes == {'connection refused': 5}\n"
        "print([name for name in ('aiohttp', 'httpx', 'grpc', 'h2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
