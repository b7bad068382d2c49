"""Load above the server's capacity, by impatient callers, for a few seconds."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

import seawall as sw
from benchmarks._case import WrongAnswer
from benchmarks.adaptive._server import server

RATE, PATIENCE = 600, 0.25


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Args:
        limit: Behind which limit.
        goodput: Answers in time, a second.
        refused: Refusals, a second.
        late: Callers that had gone, a second.
        stats: What the limit said at the end.
    """

    limit: str
    goodput: float
    refused: float
    late: float
    stats: dict[str, Any]


def played(limit: str, seconds: float) -> Outcome:
    """One limit under load."""
    with server(limit) as url:
        test = sw.LoadTest(
            url, sw.Constant(RATE), duration=seconds, arrivals="poisson", seed=3, timeout=PATIENCE, grace=0
        )
        result = test.run()
        with urllib.request.urlopen(f"{url}stats", timeout=5) as answer:
            stats = json.load(answer)
    outcomes = dict(result.outcomes)
    good, refused, late = (outcomes.pop(kind, 0) for kind in ("2xx", "status 503", "timeout"))
    if not good or set(outcomes) - {"cancelled"} or stats["in_flight"] > stats["admitted"]:
        raise WrongAnswer(f"behind {limit}: {result.outcomes}, {stats}")
    return Outcome(limit, good / seconds, refused / seconds, late / seconds, stats)
