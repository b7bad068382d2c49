"""Loggers of which a share is enough."""

from __future__ import annotations

import logging
import random

from seawall.errors import ConfigError
from seawall.observe.logs._ids import ids_of


class SampledFilter(logging.Filter):
    """Lets a share of records pass: in a trace all lines of it or none, elsewhere by chance.

    Records that pass have the attribute `sample_rate`, so that whoever counts them can scale.

    Args:
        share: 0 to 1.
        exempt: Records of this level and above always pass.
        rng: What decides outside traces; by default one for each filter.

    Raises:
        ConfigError: The share is outside 0 to 1.

    Example:
        >>> quiet = SampledFilter(0.0)
        >>> make = logging.makeLogRecord
        >>> quiet.filter(make({"levelno": logging.INFO})), quiet.filter(make({"levelno": logging.ERROR}))
        (False, True)
    """

    def __init__(self, share: float, *, exempt: int = logging.WARNING, rng: random.Random | None = None) -> None:
        super().__init__()
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise ConfigError(f"share must be 0 to 1, got {share!r}")
        self._share, self._exempt = float(share), exempt
        self._rng = rng or random.SystemRandom()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it passes."""
        if record.levelno >= self._exempt:
            return True
        trace_id = ids_of(record).trace_id
        # The lower half of the id, as tracers choose: with the same share, traces and their lines are kept together.
        drawn = int(trace_id[16:], 16) / (1 << 64) if trace_id else self._rng.random()
        if drawn >= self._share:
            return False
        record.sample_rate = self._share
        return True

    def __repr__(self) -> str:
        return f"<SampledFilter: {self._share:g} of records>"
