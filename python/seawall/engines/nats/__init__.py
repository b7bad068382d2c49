"""The engine on NATS JetStream: one stream for each namespace and port, conditions on sequences, the server's time."""

from seawall.engines.nats._engine import NatsEngine
from seawall.engines.nats._options import NatsOptions

__all__ = ["NatsEngine", "NatsOptions"]
