"""What people read: texts with names in braces, which never fail for what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from seawall.errors import ConfigError
from seawall.observe.alerts._filling import LONGEST, checked_text, fill
from seawall.observe.alerts._notifier import Notification
from seawall.observe.alerts._times import rfc3339


class Rendered:
    """A notification as a title, a text and fields."""

    __slots__ = ("fields", "text", "title")

    def __init__(self, title: str, text: str, fields: Mapping[str, str]) -> None:
        self.title, self.text = _whole(title), _whole(text)
        self.fields = {_whole(name): _whole(value) for name, value in fields.items()}

    def __repr__(self) -> str:
        return f"<Rendered {self.title!r}>"


class Renders(Protocol):
    """A template: one of this module's, or an object of your own."""

    def render(self, notification: Notification) -> Rendered:
        """What the notification says."""
        ...


class Template:
    """Texts with names in braces, formatted as `str.format` does, but for plain names only: `{value:.1%}`, not `{x.y}`.

    Of the whole notification there are `status`, `receiver`, `firing` and `resolved` (numbers), `at`, each label that
    all its alerts share, and `alerts`: a line for each. Of an alert: its labels and annotations, `status`, `value`,
    `starts_at` and `ends_at`. What is missing is written `?`, what does not fit its format as it is.

    Args:
        title: One line.
        text: Of the whole.
        alert: The line of an alert.
        fields: Names and texts beside the text, where a channel has a place for them.

    Example:
        >>> fill("{route} fails {value:.1%} of {nothing}", {"route": "/pay", "value": 0.0712})
        '/pay fails 7.1% of ?'
    """

    __slots__ = ("_alert", "_fields", "_text", "_title")

    def __init__(
        self,
        title: str = "[{status}] {alertname}: {firing} firing, {resolved} resolved",
        text: str = "{alerts}",
        alert: str = "[{status}] {alertname} {severity}: {summary} (value {value:g}, since {starts_at})",
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self._title, self._text, self._alert, self._fields = title, text, alert, dict(fields or {})
        for each in (title, text, alert, *self._fields.values()):
            checked_text(each)

    def render(self, notification: Notification) -> Rendered:
        """What the notification says."""
        names = names_of(notification)
        names["alerts"] = "\n".join(fill(self._alert, alert_names(alert)) for alert in notification.alerts)
        title = " ".join(fill(self._title, names).split())
        return Rendered(title, fill(self._text, names), {n: fill(t, names) for n, t in self._fields.items()})


class JinjaTemplate:
    """Texts for Jinja2, in its sandbox; `alerts` is a list, and the names are those of `Template`.

    Args:
        title: One line.
        text: Of the whole.

    Raises:
        ConfigError: jinja2 is not installed, or a text is no template.
    """

    __slots__ = ("_text", "_title")

    def __init__(self, title: str, text: str) -> None:
        try:
            from jinja2 import ChainableUndefined, TemplateSyntaxError
            from jinja2.sandbox import ImmutableSandboxedEnvironment
        except ImportError as error:
            raise ConfigError("JinjaTemplate needs jinja2; install seawall[alerts]") from error
        world = ImmutableSandboxedEnvironment(undefined=ChainableUndefined)
        try:
            self._title, self._text = world.from_string(title), world.from_string(text)
        except TemplateSyntaxError as error:
            raise ConfigError(f"no template of jinja2: {error} in line {error.lineno}") from error

    def render(self, notification: Notification) -> Rendered:
        """What the notification says; what goes wrong inside is said in the text."""
        names = names_of(notification)
        names["alerts"] = [alert_names(alert) for alert in notification.alerts]
        title = _tried(self._title, names)
        return Rendered(" ".join(title.split()), _tried(self._text, names), {})


def names_of(notification: Notification) -> dict[str, Any]:
    """What a template may name of a notification."""
    firing = sum(alert.status == "firing" for alert in notification.alerts)
    return {
        **shared([alert.annotations for alert in notification.alerts]),
        **shared([alert.labels for alert in notification.alerts]),
        **notification.group_labels,
        "status": notification.status,
        "receiver": notification.receiver,
        "firing": firing,
        "resolved": len(notification.alerts) - firing,
        "at": rfc3339(notification.at),
    }


def alert_names(alert: Any) -> dict[str, Any]:
    """What a template may name of an alert."""
    return {
        **alert.annotations,
        **alert.labels,
        "status": alert.status,
        "value": alert.value,
        "starts_at": rfc3339(alert.starts_at),
        "ends_at": "" if alert.ends_at is None else rfc3339(alert.ends_at),
    }


def shared(many: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all have in common."""
    first, *rest = many or [{}]
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}


def _whole(text: str) -> str:
    """Half characters, which a label may hold and no channel can send, are question marks."""
    return text.encode("utf-8", "replace").decode()


def _tried(template: Any, names: dict[str, Any]) -> str:
    try:
        return str(template.render(names))[:LONGEST]
    except Exception as error:  # noqa: BLE001 - a template must not keep an alert from being told
        return f"{names['status']} {names.get('alertname', '')} (the template failed: {type(error).__name__})"
