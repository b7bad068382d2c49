"""How often comparisons are wrong, over a hundred of them, on a made-up server whose truth is known.

The server (see `Server`): log-normal times (sigma 0.5) around 3 ms, 600 requests a second; the level of a second
wanders by 1.5 % and remembers half of the one before; one second in fifty has a stall of 50 ms; runs differ by 0.3 %.
One run a side lasts 64 s; of three a side each lasts 32 s, at 800 a second. The tolerance is 2 %, the confidence 95 %.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from tests.property._servers import Server

from seawall.measure import compare

pytestmark = pytest.mark.proof

TIMES = 100
ONE, THREE = (1, Server()), (3, Server(each=800, blocks=32))


def verdicts(runs: int, server: Server, slower: float, seed: int, times: int = TIMES) -> Counter[str]:
    """How often each verdict is given; every comparison has runs of its own."""
    rng, found = np.random.default_rng(seed), Counter[str]()
    for i in range(times):
        before, after = ([server.run(rng, share) for _ in range(runs)] for share in (0.0, slower))
        found[compare(before, after, tolerance=0.02, seed=i).verdict] += 1
    return found


@pytest.mark.parametrize(("runs", "server"), [ONE, THREE])
def test_the_same_server_is_a_false_alarm_in_at_most_5_percent(runs: int, server: Server) -> None:
    """A server that did not change is called slower in at most 5 of 100 comparisons."""
    found = verdicts(runs, server, slower=0.0, seed=1)
    assert found["slower"] <= 0.05 * TIMES, f"seed 1: {found}"


@pytest.mark.parametrize(("runs", "server"), [ONE, THREE])
def test_a_slow_down_of_5_percent_is_found_in_90_percent(runs: int, server: Server) -> None:
    """A server that takes 5 % longer is called slower in at least 90 of 100 comparisons."""
    found = verdicts(runs, server, slower=0.05, seed=2)
    assert found["slower"] >= 0.9 * TIMES, f"seed 2: {found}"


def test_at_the_edge_of_the_tolerance_three_runs_keep_the_confidence_though_runs_differ() -> None:
    """Where the truth is the tolerance and runs differ by 1.5 %, slower is as seldom as the confidence says."""
    server = Server(each=300, blocks=24, offset=0.015)
    found = verdicts(3, server, slower=0.02, seed=3, times=40)
    # A confidence of 95 % allows 1 of 40 on the slower side; more than 5 have a chance of 1 in 2000 at that rate.
    assert found["slower"] <= 5, f"seed 3: {found}"
