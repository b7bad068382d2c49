"""Alerts: rules over a recording, who is told and how often, objectives, and what would have fired."""

from seawall.observe.alerts._alert import Alert
from seawall.observe.alerts._alerts import Alerts
from seawall.observe.alerts._backtest import BacktestReport, Episode, backtest
from seawall.observe.alerts._evaluation import Evaluation, Transition
from seawall.observe.alerts._evidence import Evidence
from seawall.observe.alerts._matchers import Matcher
from seawall.observe.alerts._message import Channel, Message
from seawall.observe.alerts._moment import Moment
from seawall.observe.alerts._mutes import Inhibition, Silence
from seawall.observe.alerts._notifier import Notification
from seawall.observe.alerts._payload import payload_of
from seawall.observe.alerts._providers import logs_of, metrics_of, profile_of, traces_of
from seawall.observe.alerts._readings import (
    Absent,
    Increase,
    Measure,
    Quantile,
    Rate,
    Ratio,
    Reading,
    Unchanged,
    Value,
)
from seawall.observe.alerts._routes import Route
from seawall.observe.alerts._rule import Rule
from seawall.observe.alerts._slo import WORKBOOK, BurnWindow, Slo, SloStatus
from seawall.observe.alerts._stats import ActiveAlert, AlertsStats, ChannelStats
from seawall.observe.alerts._store import FileStore, MemoryStore, Store
from seawall.observe.alerts._templates import JinjaTemplate, Rendered, Template
from seawall.observe.alerts.channels import (
    Call,
    Chat,
    Email,
    Log,
    SignatureRefused,
    Webhook,
    WebhookRefused,
    sign,
    verify,
)

__all__ = [
    "WORKBOOK",
    "Absent",
    "ActiveAlert",
    "Alert",
    "Alerts",
    "AlertsStats",
    "BacktestReport",
    "BurnWindow",
    "Call",
    "Channel",
    "ChannelStats",
    "Chat",
    "Email",
    "Episode",
    "Evaluation",
    "Evidence",
    "FileStore",
    "Increase",
    "Inhibition",
    "JinjaTemplate",
    "Log",
    "Matcher",
    "Measure",
    "MemoryStore",
    "Message",
    "Moment",
    "Notification",
    "Quantile",
    "Rate",
    "Ratio",
    "Reading",
    "Rendered",
    "Route",
    "Rule",
    "SignatureRefused",
    "Silence",
    "Slo",
    "SloStatus",
    "Store",
    "Template",
    "Transition",
    "Unchanged",
    "Value",
    "Webhook",
    "WebhookRefused",
    "backtest",
    "logs_of",
    "metrics_of",
    "payload_of",
    "profile_of",
    "sign",
    "traces_of",
    "verify",
]
