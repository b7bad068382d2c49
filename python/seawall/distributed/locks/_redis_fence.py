"""Fences in a Redis or Valkey server of the caller's own."""

from __future__ import annotations

from typing import Any

from seawall.distributed._holding import FencedHeld
from seawall.distributed.locks._tokens import stale, token_of
from seawall.errors import ConfigError

_CHECK_AND_DO = """
local seen = redis.call('GET', KEYS[1])
if seen and tonumber(seen) > tonumber(ARGV[1]) then return {0, seen} end
if seen ~= ARGV[1] then redis.call('SET', KEYS[1], ARGV[1]) end
return {1, redis.call(unpack(ARGV, 2))}
"""
_DONE = 1


class RedisFence:
    """Lets only the newest token write: a key for each resource remembers it, checked in the same script as the write.

    Guarantees: once a write with a token was made, none with a smaller one is. As firm as the server: a failover that
    forgets the newest token forgets the fence.

    Args:
        client: A redis.Redis, valkey.Valkey, or one of their asyncio twins for the `..._async` calls.
        resource: What is protected; all who write to it name it alike. In a cluster its keys have {resource} in their
            names.

    Example::

        fence = RedisFence(client, "orders")
        with FencedLock(engine, "orders") as held:
            fence.set("order:42", b"paid", held)
    """

    def __init__(self, client: Any, resource: str) -> None:
        if not isinstance(resource, str) or not resource:
            raise ConfigError(f"resource must be text, got {resource!r}")
        if not hasattr(client, "register_script"):
            raise ConfigError(f"client must be one of redis or valkey, got {client!r}")
        self.resource = resource
        self.key = f"seawall:fence:{{{resource}}}"
        self._script = client.register_script(_CHECK_AND_DO)

    def execute(self, held: FencedHeld | int, command: str, *args: Any, keys: tuple[Any, ...] = ()) -> Any:
        """Carry out any one command if no newer token was seen; returns its plain reply.

        Args:
            held: What a lock, semaphore or election gave; or its token.
            command: Its name.
            args: What follows, keys included.
            keys: Those that the command touches, where a cluster or an ACL wants to be told.

        Raises:
            LockLost: A newer token was seen, or it is not held any more; nothing was done.
        """
        token = token_of(held)
        done, reply = _pair(self._script(keys=[self.key, *keys], args=[token, command, *args]))
        if done != _DONE:
            raise stale(held, token, self.resource, int(reply))
        return reply

    async def execute_async(self, held: FencedHeld | int, command: str, *args: Any, keys: tuple[Any, ...] = ()) -> Any:
        """`execute` with an asyncio client."""
        token = token_of(held)
        done, reply = _pair(await self._script(keys=[self.key, *keys], args=[token, command, *args]))
        if done != _DONE:
            raise stale(held, token, self.resource, int(reply))
        return reply

    def set(self, key: Any, value: Any, held: FencedHeld | int) -> None:
        """`SET key value` if no newer token was seen.

        Raises:
            LockLost: One was.
        """
        self.execute(held, "SET", key, value, keys=(key,))

    async def set_async(self, key: Any, value: Any, held: FencedHeld | int) -> None:
        """`set` with an asyncio client."""
        await self.execute_async(held, "SET", key, value, keys=(key,))

    def delete(self, key: Any, held: FencedHeld | int) -> bool:
        """`DEL key` if no newer token was seen; whether there was such a key.

        Raises:
            LockLost: One was.
        """
        return bool(self.execute(held, "DEL", key, keys=(key,)))

    async def delete_async(self, key: Any, held: FencedHeld | int) -> bool:
        """`delete` with an asyncio client."""
        return bool(await self.execute_async(held, "DEL", key, keys=(key,)))

    def __repr__(self) -> str:
        return f"<RedisFence {self.resource!r}>"


def _pair(reply: Any) -> tuple[int, Any]:
    # A reply of nothing is the end of a list in Lua.
    return int(reply[0]), reply[1] if len(reply) > 1 else None
