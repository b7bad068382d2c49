"""Log records as JSON, a line each."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from seawall.errors import ConfigError
from seawall.observe.logs._ids import ids_of

_KNOWN = {
    *logging.LogRecord("", 0, "", 0, "", None, None).__dict__, "message", "asctime", "taskName",
    "trace_id", "span_id", "correlation_id",
}  # fmt: skip
_Style = Literal["plain", "ecs"]


class JsonFormatter(logging.Formatter):
    """One JSON object a line: for Loki and whatever else reads JSON, or with the field names of Elastic's schema.

    ===============  ==================  ==============================================
    plain            ecs                 what
    ===============  ==================  ==============================================
    time             @timestamp          RFC 3339, UTC, microseconds
    level            log.level           lower-case name: debug, info, warning, error, critical
    logger           log.logger          name of the logger
    message          message             with its arguments filled in
    service          service.name        where it was given
    trace_id         trace.id            only in a trace, as is the span's
    span_id          span.id
    correlation_id   correlation.id      only where there is one
    error_type       error.type          only with an exception, as are the next two
    error_message    error.message
    error_stack      error.stack_trace
    suppressed       labels.suppressed   lines like this one that LimitedFilter withheld before it
    sample_rate      labels.sample_rate  share that SampledFilter lets pass
    extra            labels              what was given as `extra=`
    ===============  ==================  ==============================================

    Guarantees: one line, whatever is in the message; what JSON has no form for is written as its text; never raises
    for what is logged.

    Args:
        style: "plain" or "ecs".
        service: Name of the service.
        fields: Fixed fields of every line, named as they are to be written.

    Raises:
        ConfigError: There is no such style.

    Source: Elastic Common Schema 8.11.

    Example:
        >>> record = logging.LogRecord("shop", logging.INFO, "shop.py", 7, "paid %d", (3,), None)
        >>> print(JsonFormatter(service="shop").format(record))  # doctest: +ELLIPSIS
        {"time":"...Z","level":"info","logger":"shop","message":"paid 3","service":"shop"}
    """

    def __init__(
        self, style: _Style = "plain", *, service: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        if style not in _NAMES:
            raise ConfigError(f"style must be 'plain' or 'ecs', got {style!r}")
        self._names = _NAMES[style]
        self._fixed: dict[str, Any] = {"ecs.version": "8.11.0"} if style == "ecs" else {}
        if service is not None:
            self._fixed[self._names["service"]] = service
        self._fixed.update(fields or {})

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        names = self._names
        told: dict[str, Any] = {
            names["time"]: _time(record.created),
            names["level"]: record.levelname.lower(),
            names["logger"]: record.name,
            names["message"]: message_of(record),
            **self._fixed,
        }
        for name, value in ids_of(record)._asdict().items():
            if value:
                told[names[name]] = value
        self._add_error(told, record)
        extra = {key: value for key, value in record.__dict__.items() if key not in _KNOWN and not key.startswith("_")}
        for name in ("suppressed", "sample_rate"):
            if name in extra:
                told[names[name]] = extra.pop(name)
        if extra:
            told[names["extra"]] = extra
        return _dumped(told)

    def _add_error(self, told: dict[str, Any], record: logging.LogRecord) -> None:
        info = record.exc_info
        if not info or not isinstance(info, tuple) or info[1] is None:
            if record.exc_text:  # a QueueHandler has formatted it already
                told[self._names["error_stack"]] = record.exc_text
            return
        error = info[1]
        told[self._names["error_type"]] = type(error).__qualname__
        told[self._names["error_message"]] = _text(error)
        try:
            told[self._names["error_stack"]] = "".join(traceback.format_exception(*info))
        except Exception:  # noqa: BLE001 -- an error that cannot be shown is still told of
            told[self._names["error_stack"]] = ""


_PLAIN = (
    "time", "level", "logger", "message", "service", "trace_id", "span_id", "correlation_id", "error_type",
    "error_message", "error_stack", "suppressed", "sample_rate", "extra",
)  # fmt: skip
_ECS = (
    "@timestamp", "log.level", "log.logger", "message", "service.name", "trace.id", "span.id", "correlation.id",
    "error.type", "error.message", "error.stack_trace", "labels.suppressed", "labels.sample_rate", "labels",
)  # fmt: skip
_NAMES = {"plain": dict(zip(_PLAIN, _PLAIN, strict=True)), "ecs": dict(zip(_PLAIN, _ECS, strict=True))}


def _time(created: float) -> str:
    return datetime.fromtimestamp(created, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def message_of(record: logging.LogRecord) -> str:
    """With its arguments filled in, also where they do not fit."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 -- arguments that do not fit: the line is worth more than the complaint
        return f"{record.msg!s} {record.args!r}"


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 -- whatever cannot be shown
        return f"<{type(value).__qualname__} that cannot be shown>"


def _dumped(told: dict[str, Any]) -> str:
    try:
        return json.dumps(told, separators=(",", ":"), default=_text, allow_nan=False)
    except (ValueError, TypeError, RecursionError):  # NaN, keys that are no text, a dict in itself
        plain = {key: value if isinstance(value, (str, int)) else _text(value) for key, value in told.items()}
        return json.dumps(plain, separators=(",", ":"))
