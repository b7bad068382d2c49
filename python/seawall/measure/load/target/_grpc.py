"""Unary calls over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from seawall.errors import ConfigError
from seawall.measure.load.result._outcomes import Answer
from seawall.measure.load.target._call import Caller

# How gRPC's own library begins where a call never came to a server. It has one status for all of them, which servers
# use too, and tells the two apart in no other way.
_NO_NAME = ("DNS resolution failed", "Domain name not found", "errors resolving ")
_NO_SERVER = "failed to connect to all addresses"
# Neither retries, nor the proxy of the environment, nor a connection shared with another run.
_OPTIONS = (("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))


@dataclass(frozen=True, slots=True)
class GrpcCall:
    """A unary call over gRPC, made again and again.

    Args:
        address: Host and port, such as `127.0.0.1:50051`.
        method: Such as `/helloworld.Greeter/SayHello`.
        message: The serialized request (`request.SerializeToString()`), or a sequence that takes turns.
        metadata: Sent with each call.
        secure: Over TLS, with the roots that the grpc library knows or those given.
        roots: Certificates in PEM that are trusted in place of the usual ones.

    Raises:
        ConfigError: A part can never be called.
    """

    address: str
    method: str
    message: bytes | Sequence[bytes] = b""
    metadata: Mapping[str, str] = field(default_factory=dict)
    secure: bool = False
    roots: bytes | None = None

    def __post_init__(self) -> None:
        host, colon, port = self.address.rpartition(":") if isinstance(self.address, str) else ("", "", "")
        if not (host and colon and port.isdecimal() and 0 < int(port) < 65_536):
            raise ConfigError(f"address must be a host and a port, got {self.address!r}; for example 127.0.0.1:50051")
        if not isinstance(self.method, str) or self.method.count("/") != 2 or not self.method.startswith("/"):
            raise ConfigError(f"method must be /package.Service/Method, got {self.method!r}")
        if not isinstance(self.metadata, Mapping):
            raise ConfigError(
                f"metadata must be names with values, got {self.metadata!r}; for example {{'tenant': '7'}}"
            )
        if self.roots is not None and not self.secure:
            raise ConfigError("roots go with secure=True; leave them out")
        if not self.messages:
            raise ConfigError("message must be one, or a list with at least one that take turns, got none")
        for message in self.messages:
            if not isinstance(message, bytes):
                raise ConfigError(f"message must be bytes, got {message!r}; use request.SerializeToString()")

    @property
    def messages(self) -> tuple[bytes, ...]:
        """The messages that take turns."""
        return (self.message,) if isinstance(self.message, bytes) else tuple(self.message)

    def describe(self) -> str:
        """The call in a few words."""
        return f"gRPC {self.address}{self.method}"


@asynccontextmanager
async def grpc_caller(target: GrpcCall, *, timeout: float) -> AsyncIterator[Caller]:
    """Open a channel; the calls share its connection, as HTTP/2 does.

    A call is made once: the library's own retries would hide failures.

    Raises:
        ConfigError: grpcio is not installed.
    """
    try:
        import grpc
        import grpc.aio
    except ImportError as error:
        raise ConfigError("a GrpcCall needs grpcio; install it with `pip install grpcio`") from error

    channel = (
        grpc.aio.secure_channel(target.address, grpc.ssl_channel_credentials(target.roots), options=_OPTIONS)
        if target.secure
        else grpc.aio.insecure_channel(target.address, options=_OPTIONS)
    )
    messages, metadata = target.messages, tuple(target.metadata.items())
    async with channel:
        # Without serializers, bytes go in and come out as they are.
        unary = channel.unary_unary(target.method)

        async def call(m: int, _state: Any, _row: Any) -> Answer:
            try:
                answer = await unary(messages[m % len(messages)], timeout=timeout, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                return _failed(error)
            return Answer("grpc OK", len(answer))

        yield Caller("gRPC by grpcio" + (" over TLS" if target.secure else ""), call)


def _failed(error: Any) -> Answer:
    name, words = error.code().name, error.details() or error.code().name
    if name == "DEADLINE_EXCEEDED":
        return Answer("timeout", error=words)
    return Answer((_unreached(words) if name == "UNAVAILABLE" else None) or f"grpc {name}", error=words)


def _unreached(words: str) -> str | None:
    if words.startswith(_NO_NAME):
        return "dns"
    if not words.startswith(_NO_SERVER):
        return None
    kinds = (("Connection refused", "connection refused"), ("handshake failed", "tls"), ("CERTIFICATE", "tls"))
    return next((kind for mark, kind in kinds if mark in words), "unreachable")
