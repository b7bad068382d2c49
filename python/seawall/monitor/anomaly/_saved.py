"""Detectors from what they were saved as."""

from __future__ import annotations

from typing import Any

from seawall.errors import ConfigError
from seawall.monitor.anomaly._bounds import Bounds
from seawall.monitor.anomaly._cusum import Cusum
from seawall.monitor.anomaly._deseasoned import Deseasoned
from seawall.monitor.anomaly._detector import Stateful
from seawall.monitor.anomaly._ewma import Ewma
from seawall.monitor.anomaly._page_hinkley import PageHinkley
from seawall.monitor.anomaly._robust_z import RobustZ
from seawall.monitor.anomaly._seasonal import Seasonal
from seawall.monitor.anomaly._vote import Vote

_KINDS: dict[str, type[Stateful[Any]]] = {
    each.kind: each for each in (Bounds, RobustZ, Ewma, Cusum, PageHinkley, Seasonal)
}


def detector_from(data: dict[str, Any]) -> Stateful[Any] | Vote | Deseasoned:
    """The detector that `to_dict` wrote, with all it had learned.

    Raises:
        ConfigError: the data is of no detector known here, or damaged.

    Example:
        >>> detector = Ewma(warm_up=5)
        >>> verdict = detector.update(3.0, at=0)
        >>> detector_from(detector.to_dict()).to_dict() == detector.to_dict()
        True
    """
    kind = data.get("kind") if isinstance(data, dict) else None
    try:
        if kind == Vote.kind:
            return Vote({name: detector_from(each) for name, each in data["detectors"].items()}, need=data["need"])
        if kind == Deseasoned.kind:
            return Deseasoned(_seasonal(data["seasonal"]), _stateful(data["then"]))
        if kind in _KINDS:
            return _stateful(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"the saved {kind} detector cannot be read: {error!r}; begin with a new one") from error
    raise ConfigError(
        f"kind of a saved detector must be one of {', '.join([*_KINDS, Vote.kind, Deseasoned.kind])}, got {kind!r}"
    )


def _stateful(data: dict[str, Any]) -> Stateful[Any]:
    return _KINDS[data["kind"]](**data["options"]).restore(data)


def _seasonal(data: dict[str, Any]) -> Seasonal:
    return Seasonal(**data["options"]).restore(data)
