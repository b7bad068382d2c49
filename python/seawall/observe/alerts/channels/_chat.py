"""Chat and a hundred other services, through apprise."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from seawall.errors import ConfigError, SeawallError
from seawall.observe.alerts._message import Message
from seawall.observe.alerts._secrets import parts_of, scrubbed


class Chat:
    """Tells what the addresses of apprise name: Slack, Matrix, Telegram, ntfy, ...

    Guarantees: the addresses hold tokens and are never shown.

    Args:
        urls: As apprise writes them, such as "slack://tokens/#ops".

    Raises:
        ConfigError: apprise is not installed, or does not know an address.
    """

    def __init__(self, urls: str | Sequence[str]) -> None:
        try:
            import apprise
        except ImportError as error:
            raise ConfigError("Chat needs apprise; install seawall[alerts]") from error
        given = (urls,) if isinstance(urls, str) else tuple(urls)
        self._secrets = tuple(part for url in given for part in parts_of(url))
        _MASKED.secrets.update(self._secrets)
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_MASKED)  # a second time does nothing
        self._apprise: Any = apprise.Apprise()
        self._kinds = tuple(url.partition(":")[0] for url in given)
        for place, url in enumerate(given):
            if not self._apprise.add(url):
                raise ConfigError(
                    f"apprise does not know address {place + 1} of {len(given)}, of kind {self._kinds[place]!r}"
                )
        if not given:
            raise ConfigError("urls must name at least one address, got none")

    def send(self, message: Message) -> None:
        """Tell all; raises unless all could be."""
        import apprise

        firing = message.notification.status == "firing"
        kind = apprise.NotifyType.FAILURE if firing else apprise.NotifyType.SUCCESS
        rendered = message.rendered
        fields = "".join(f"\n{name}: {text}" for name, text in rendered.fields.items())
        if not self._apprise.notify(title=rendered.title, body=rendered.text + fields, notify_type=kind):
            raise SeawallError(f"apprise could not tell all of {', '.join(self._kinds)}")

    def __repr__(self) -> str:
        return f"Chat({', '.join(self._kinds)})"


class _Masked(logging.Filter):
    """Apprise, and what it posts with, write addresses to their logs, and tokens in them."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrubbed(record.getMessage(), tuple(self.secrets)), ()
        return True


_MASKED = _Masked()
_TALKATIVE = ("apprise", "urllib3.connectionpool")
