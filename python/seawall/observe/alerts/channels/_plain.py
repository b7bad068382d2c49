"""Channels inside the process: the log, and a function."""

from __future__ import annotations

import logging
from collections.abc import Callable

from seawall.errors import ConfigError
from seawall.observe.alerts._message import Message


class Log:
    """Writes alerts to a logger of the standard library, a record for each notification.

    Args:
        logger: Or its name.
        firing: Level while an alert fires.
        resolved: Level when all have resolved.
    """

    def __init__(
        self,
        logger: logging.Logger | str = "seawall.alerts",
        *,
        firing: int = logging.ERROR,
        resolved: int = logging.INFO,
    ) -> None:
        self._logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._levels = {"firing": firing, "resolved": resolved}

    def send(self, message: Message) -> None:
        """Write it."""
        level = self._levels[message.notification.status]
        rendered = message.rendered
        self._logger.log(level, "%s\n%s", rendered.title, rendered.text, extra={"alerts": message.payload["alerts"]})

    def __repr__(self) -> str:
        return f"Log({self._logger.name!r})"


class Call:
    """Calls a function with each message.

    Args:
        function: Takes a Message; what it raises counts as not told.
    """

    def __init__(self, function: Callable[[Message], object]) -> None:
        if not callable(function):
            raise ConfigError(f"function must take a Message, got {function!r}")
        self._function = function

    def send(self, message: Message) -> None:
        """Call it."""
        self._function(message)

    def __repr__(self) -> str:
        return f"Call({getattr(self._function, '__qualname__', type(self._function).__name__)})"
