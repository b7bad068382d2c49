"""Ways to tell somebody: webhook, email, chat, log, function."""

from seawall.observe.alerts.channels._chat import Chat
from seawall.observe.alerts.channels._email import Email
from seawall.observe.alerts.channels._plain import Call, Log
from seawall.observe.alerts.channels._signing import SignatureRefused, sign, verify
from seawall.observe.alerts.channels._webhook import Webhook, WebhookRefused

__all__ = ["Call", "Chat", "Email", "Log", "SignatureRefused", "Webhook", "WebhookRefused", "sign", "verify"]
