"""The engine on a Redis or Valkey server: one Lua script, one round trip, the server's time."""

from seawall.engines.redis._engine import RedisEngine
from seawall.engines.redis._options import RedisOptions

__all__ = ["RedisEngine", "RedisOptions"]
