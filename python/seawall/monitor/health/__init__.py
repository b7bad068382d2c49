"""Health: checks with a time of their own, and the answers to liveness, readiness and startup probes."""

from seawall.monitor.health._check import Check, CheckChanged
from seawall.monitor.health._health import Health
from seawall.monitor.health._options import CheckOptions
from seawall.monitor.health._ready_made._disk import DiskCheck
from seawall.monitor.health._ready_made._engine import EngineCheck
from seawall.monitor.health._ready_made._heartbeat import Heartbeat
from seawall.monitor.health._ready_made._http import HttpCheck
from seawall.monitor.health._ready_made._redis import RedisCheck
from seawall.monitor.health._ready_made._sql import SqlCheck
from seawall.monitor.health._ready_made._tcp import TcpCheck
from seawall.monitor.health._reports import CheckReport, Report
from seawall.monitor.health._rows import health_rows
from seawall.monitor.health._words import Outcome, Probe, Status

__all__ = [
    "Check",
    "CheckChanged",
    "CheckOptions",
    "CheckReport",
    "DiskCheck",
    "EngineCheck",
    "Health",
    "Heartbeat",
    "HttpCheck",
    "Outcome",
    "Probe",
    "RedisCheck",
    "Report",
    "SqlCheck",
    "Status",
    "TcpCheck",
    "health_rows",
]
