"""Anomaly detection: detectors behind one protocol, votes, and watches that tell when an anomaly begins and ends."""

from seawall.monitor.anomaly._bounds import Bounds
from seawall.monitor.anomaly._cusum import Cusum
from seawall.monitor.anomaly._deseasoned import Deseasoned
from seawall.monitor.anomaly._detector import Detector
from seawall.monitor.anomaly._ewma import Ewma
from seawall.monitor.anomaly._page_hinkley import PageHinkley
from seawall.monitor.anomaly._river import River
from seawall.monitor.anomaly._robust_z import RobustZ
from seawall.monitor.anomaly._saved import detector_from
from seawall.monitor.anomaly._seasonal import Seasonal
from seawall.monitor.anomaly._verdict import Verdict
from seawall.monitor.anomaly._vote import Vote
from seawall.monitor.anomaly._watch import Anomaly, Watch

__all__ = [
    "Anomaly",
    "Bounds",
    "Cusum",
    "Deseasoned",
    "Detector",
    "Ewma",
    "PageHinkley",
    "River",
    "RobustZ",
    "Seasonal",
    "Verdict",
    "Vote",
    "Watch",
    "detector_from",
]
