"""Email by SMTP."""

from __future__ import annotations

import hashlib
import logging
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formataddr, formatdate, parseaddr
from typing import Any, Literal

from seawall.errors import ConfigError
from seawall.observe.alerts._checks import choice_of, seconds_of, whole_of
from seawall.observe.alerts._message import Message

_LOG = logging.getLogger("seawall.alerts")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Email:
    """Sends a mail for each notification.

    Guarantees: mails of one group are one thread (References); the password is never shown.

    Args:
        host: The mail server.
        sender: Address, or "Name <address>".
        to: Addresses.
        port: By default 587, 465 or 25, as `security` is.
        security: "starttls" (refused where the server cannot), "tls" from the first byte, or "none".
        username: To log in with; needs a password, and security.
        password: The same.
        timeout: Seconds for each step of the talk with the server.
        context: TLS settings; by default the machine's authorities are trusted.

    Raises:
        ConfigError: what cannot be.
    """

    def __init__(
        self,
        host: str,
        *,
        sender: str,
        to: str | Sequence[str],
        port: int | None = None,
        security: Literal["starttls", "tls", "none"] = "starttls",
        username: str | None = None,
        password: str | None = None,
        timeout: float = 20.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        choice_of(security, "security", tuple(_PORTS))
        self._to = (to,) if isinstance(to, str) else tuple(to)
        for name, address in (("sender", sender), *(("to", each) for each in self._to or ("",))):
            if "@" not in parseaddr(address)[1] or not address.isprintable():
                raise ConfigError(f"{name} must be an address such as 'Ops <ops@example.com>', got {address!r}")
        if (username is None) != (password is None):
            raise ConfigError("username and password must be given together")
        if username is not None and security == "none":
            raise ConfigError("security must be 'starttls' or 'tls' with a password, got 'none'")
        self._host, self._sender = host, sender
        self._port = _PORTS[security] if port is None else whole_of(port, "port", 1, 65_535, 587)
        self._security, self._username, self._password = security, username, password
        self._timeout = seconds_of(timeout, "timeout", least=1e-3)
        self._context = context
        self._secrets = (password or "",)

    def send(self, message: Message) -> None:
        """Send it; raises unless the server took it for at least one address."""
        mail = self._mail(message)
        with self._connected() as server:
            if self._username is not None and self._password is not None:
                server.login(self._username, self._password)
            refused = server.send_message(mail)
        if refused:
            _LOG.warning("the mail server refused %d of %d addresses", len(refused), len(self._to))

    def _connected(self) -> Any:
        context = self._context or ssl.create_default_context()
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            if self._security == "starttls":
                server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: Message) -> EmailMessage:
        told, rendered = message.notification, message.rendered
        mail = EmailMessage()
        mail["Subject"] = _one_line(rendered.title)[:200]
        mail["From"] = formataddr(parseaddr(self._sender))
        mail["To"] = ", ".join(self._to)
        mail["Date"] = formatdate(told.at)
        mail["Message-ID"] = f"<{told.id}@seawall>"
        mail["References"] = f"<{_thread(told.group)}@seawall>"
        mail["Auto-Submitted"] = "auto-generated"
        fields = "".join(f"{name}: {text}\n" for name, text in rendered.fields.items())
        mail.set_content("\n\n".join(filter(None, (rendered.text, fields))) + "\n")
        return mail

    def __repr__(self) -> str:
        return f"Email({self._host!r}, port={self._port}, security={self._security!r}, to={len(self._to)} addresses)"


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _thread(group: str) -> str:
    return hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()[:20]
