"""Detectors that watch readings, and tell when an anomaly begins and ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

from seawall.errors import ConfigError
from seawall.monitor.anomaly._detector import Detector
from seawall.monitor.anomaly._verdict import Verdict
from seawall.patterns import Options, Signal, option

Read = Callable[[], float | None]


class Anomaly(NamedTuple):
    """An anomaly has begun or ended.

    Attributes:
        name: What is watched.
        began: True at the beginning, False at the end.
        at: When, in unix seconds.
        value: The reading then.
        verdict: What the detector said of it.
    """

    name: str
    began: bool
    at: float
    value: float | None
    verdict: Verdict


class WatchOptions(Options):
    """When an anomaly begins and ends."""

    after: int = option(default=1, least=1, most=10_000, unit="values", help="anomalous ones in a row until it begins")
    clear_after: int = option(default=5, least=1, most=10_000, unit="values", help="usual ones in a row until it ends")


class Spell(NamedTuple):
    """Whether an anomaly is on, and how many verdicts in a row say otherwise."""

    on: bool = False
    against: int = 0


def follow(spell: Spell, anomalous: bool, options: WatchOptions) -> Spell:
    """The spell after one more verdict. Pure."""
    if anomalous == spell.on:
        return Spell(spell.on, 0)
    against = spell.against + 1
    return (
        Spell(not spell.on)
        if against >= (options.clear_after if spell.on else options.after)
        else Spell(spell.on, against)
    )


class Watch:
    """Reads values, lets detectors judge them, and tells when an anomaly begins and ends.

    It has no clock and no thread: whoever reads the metrics calls `look` once for each new snapshot.

    Thread safety: yes; two looks at once take turns.

    Args:
        readings: Functions that give the present value, by name; None where there is none, which changes nothing.
        detectors: One for each reading.
        after: Anomalous values in a row until an anomaly begins.
        clear_after: Usual values in a row until it ends.

    Raises:
        ConfigError: readings and detectors have other names.

    Example:
        >>> from seawall.monitor.anomaly import Bounds
        >>> depth = [3, 4, 99]
        >>> watch = Watch({"queue": lambda: depth.pop(0)}, {"queue": Bounds(high=50)})
        >>> [told.verdict.reason for at in range(3) for told in watch.look(at)]
        ['99 is above 50']
    """

    def __init__(
        self, readings: Mapping[str, Read], detectors: Mapping[str, Detector], *, after: int = 1, clear_after: int = 5
    ) -> None:
        self.options = WatchOptions(after=after, clear_after=clear_after)
        if set(readings) != set(detectors) or not readings:
            raise ConfigError(
                f"detectors must be given for the readings {sorted(readings)}, one each and at least one, "
                f"got {sorted(detectors)}"
            )
        self.readings, self.detectors = dict(readings), dict(detectors)
        self.told: Signal[Anomaly] = Signal("anomaly.told", Anomaly)
        self.failures = 0
        self._spells = dict.fromkeys(self.readings, Spell())
        self._lock = threading.Lock()

    def look(self, at: float) -> tuple[Anomaly, ...]:
        """Take a value of each reading, and tell what has begun or ended; a reading that raises counts as none.

        Args:
            at: Now, in unix seconds.
        """
        told = []
        with self._lock:
            for name in self.readings:
                value = self._read(name)
                if value is None:
                    continue
                verdict, before = self.detectors[name].update(value, at), self._spells[name]
                self._spells[name] = after = follow(before, verdict.anomalous, self.options)
                if after.on != before.on:
                    told.append(Anomaly(name, after.on, at, value, verdict))
        for each in told:
            self.told.send(each)
        return tuple(told)

    def anomalous(self, name: str) -> bool:
        """Whether an anomaly of a reading is on."""
        return self._spells[name].on

    def _read(self, name: str) -> float | None:
        try:
            return self.readings[name]()
        except Exception:  # noqa: BLE001 - one reading must not keep the others from being judged
            self.failures += 1
            return None
