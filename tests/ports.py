"""Ports for servers that tests start."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack, suppress


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different.

    They are not of those that connections get by themselves: whoever tries to reach a server that is down would in the
    end be given its port, and keep it from starting.
    """
    ports: list[int] = []
    with ExitStack() as listening:
        while len(ports) < count:
            port = 10_000 + secrets.randbelow(20_000)
            with suppress(OSError):
                listening.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
    return ports
