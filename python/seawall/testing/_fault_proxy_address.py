"""Where a proxy listens and where it connects to."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.errors import ConfigError

Address = tuple[str, int] | str | os.PathLike[str]
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Place:
    """One way to reach something: what `socket.socket` and `connect` need."""

    family: int
    address: tuple[str, int] | tuple[str, int, int, int] | str


def checked_address(value: Address, what: str, least_port: int) -> tuple[str, int] | str:
    """(host, port) or the path of a unix socket, or a ConfigError."""
    if isinstance(value, (str, Path)) and (isinstance(value, Path) or os.sep in value):
        return os.fspath(value)
    if isinstance(value, (tuple, list)) and len(value) == 2:
        host, port = value
        if isinstance(host, str) and type(port) is int and least_port <= port <= 65_535:
            return host, port
    raise ConfigError(
        f"{what} must be (host, port) with a port of {least_port} to 65535, or a path of a unix socket with a "
        f"{os.sep!r} in it, got {value!r}; for example ('127.0.0.1', 6379)"
    )


def unix(path: str) -> list[Place]:
    """The one way to a unix socket."""
    return [Place(socket.AF_UNIX, path)]


def numeric(address: tuple[str, int]) -> list[Place]:
    """The way to a host given by its number; none where it has a name."""
    try:
        return places(socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except socket.gaierror:
        return []


def places(found: Iterable[tuple[Any, ...]]) -> list[Place]:
    """What getaddrinfo found."""
    return [Place(each[0], each[4]) for each in found]


class Listener:
    """A listening socket that can be taken away and put back at the same address.

    Args:
        place: Where; port 0 for any that is free.

    Raises:
        ConfigError: It cannot be listened on.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        try:
            self.socket = self._bind()
        except OSError as error:
            raise ConfigError(f"listen must be an address that is free here, got {place.address!r}: {error}") from error
        self.address = self.socket.getsockname()
        self._place = Place(place.family, self.address)
        self.socket.listen(_BACKLOG)

    def refuse(self) -> None:
        """Nobody listens; the address stays ours."""
        self.socket.close()
        # A socket that is bound and does not listen keeps the port from others; of a unix socket the file stays.
        self.socket = self._bind() if self._place.family != socket.AF_UNIX else socket.socket(socket.AF_UNIX)

    def accept(self) -> None:
        """Listen again."""
        if self._place.family == socket.AF_UNIX:
            self.socket.close()
            self._unlink()
            self.socket = self._bind()
        self.socket.listen(_BACKLOG)

    def close(self) -> None:
        """Give the address up."""
        self.socket.close()
        if self._place.family == socket.AF_UNIX:
            self._unlink()

    def _bind(self) -> socket.socket:
        made = socket.socket(self._place.family, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            if self._place.family != socket.AF_UNIX:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(self._place.address)
        except BaseException:
            made.close()
            raise
        return made

    def _unlink(self) -> None:
        Path(str(self._place.address)).unlink(missing_ok=True)
