"""What a channel is given to send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from seawall.observe.alerts._notifier import Notification
from seawall.observe.alerts._payload import payload_of
from seawall.observe.alerts._templates import Rendered, Renders


@dataclass(frozen=True, slots=True)
class Message:
    """A notification and how it reads.

    Attributes:
        notification: What is told.
        rendered: Title, text and fields for people.
        payload: For other machines: the JSON of Alertmanager's webhooks, version 4.
    """

    notification: Notification
    rendered: Rendered
    payload: dict[str, Any]

    @classmethod
    def of(cls, told: Notification, template: Renders, external_url: str = "") -> Message:
        """A notification in the words of a template."""
        return cls(told, template.render(told), payload_of(told, external_url))


@runtime_checkable
class Channel(Protocol):
    """A way to tell somebody; an object of your own with this method is one."""

    def send(self, message: Message) -> None:
        """Tell it, or raise. May take its time: each channel has a thread of its own."""
        ...
