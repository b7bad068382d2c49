"""Does a Redis or Valkey server answer?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seawall.errors import ConfigError
from seawall.monitor.health._ready_made._addresses import checked_url, secrets_of
from seawall.monitor.health._words import Outcome


class RedisCheck:
    """Sends PING.

    Args:
        server: A URL (redis://, rediss:// or unix://): a new connection for each run, without repeats; needs the extra
            seawall[redis]. Or a client that there is, of redis or valkey, plain or asyncio: a connection of its pool.
    """

    remote = True

    def __new__(cls, server: Any) -> RedisCheck:
        """For a client that blocks one whose call is a plain function."""
        blocks = callable(getattr(server, "ping", None)) and not _is_async(server)
        return super().__new__(_PlainRedisCheck if blocks else cls)

    def __init__(self, server: Any) -> None:
        self.secrets: tuple[str, ...] = ()
        if isinstance(server, str):
            url = checked_url(server, ("redis", "rediss", "unix"))
            self.secrets = secrets_of(url)
            self._ping: Callable[[], Any] = _new_client(url)
        elif callable(getattr(server, "ping", None)):
            self._ping = server.ping
            password = getattr(getattr(server, "connection_pool", None), "connection_kwargs", {}).get("password")
            self.secrets = (str(password),) if password else ()
        else:
            raise ConfigError(f"server must be a URL or a client with ping(), got {type(server).__name__}")

    async def __call__(self) -> Outcome:
        """Ask once."""
        return _heard(await self._ping())

    def __repr__(self) -> str:
        return "<RedisCheck>"


class _PlainRedisCheck(RedisCheck):
    """The same with a client that blocks."""

    def __call__(self) -> Outcome:  # type: ignore[override]
        return _heard(self._ping())


def _heard(answer: Any) -> Outcome:
    return Outcome.passed() if answer in (True, b"PONG", "PONG") else Outcome.failed("PING was not answered with PONG")


def _is_async(client: Any) -> bool:
    return any(part == "asyncio" for part in type(client).__module__.split("."))


def _new_client(url: str) -> Callable[[], Any]:
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise ConfigError("a RedisCheck of a URL needs redis-py; pip install 'seawall[redis]' brings it") from None

    async def ping() -> Any:
        client = Redis.from_url(url, retry=Retry(NoBackoff(), 0), single_connection_client=False)
        try:
            return await client.ping()
        finally:
            await client.aclose()

    return ping
