"""What the ports send."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

_pack: Callable[[tuple[Any, ...]], bytes] | None
try:
    from hiredis import pack_command as _pack
except ImportError:
    _pack = None

_HERE = Path(__file__).parent


def packed(connection: Any, command: tuple[Any, ...]) -> Any:
    """A command of text, bytes and whole numbers as it is sent; the connection's own way looks at each word first."""
    return connection.pack_command(*command) if _pack is None else (_pack(command),)


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, known to the server by its hash once it has run there."""

    source: bytes
    sha: str


def script(source: str) -> Script:
    """A script from its source."""
    data = source.encode()
    return Script(data, hashlib.sha1(data, usedforsecurity=False).hexdigest())


def load(name: str, before: str | None = None) -> Script:
    """A script of this package.

    Args:
        name: Of its file.
        before: What defines `now` and `str`, instead of the server's clock: for tests.
    """
    return script((_text("clock.lua") if before is None else before) + _text(name))


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


class Call(NamedTuple):
    """A command, or a script with its keys and arguments.

    Attributes:
        arguments: Of the command; of a script what follows the hash.
        script: The script, or None.
        sleeps: The server holds the answer back until there is news: it has a connection to itself.
    """

    arguments: tuple[Any, ...]
    script: Script | None = None
    sleeps: bool = False

    @property
    def command(self) -> tuple[Any, ...]:
        """What is sent at first."""
        return self.arguments if self.script is None else ("EVALSHA", self.script.sha, *self.arguments)

    @property
    def loading(self) -> tuple[Any, ...]:
        """What is sent when the server does not know the script."""
        assert self.script is not None
        return ("EVAL", self.script.source, *self.arguments)
