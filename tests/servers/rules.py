"""Rules of any size that is allowed, and pauses between their uses, for engines that decide by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from seawall.engines import Rule
from seawall.errors import ConfigError

KINDS = ["token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log"]
START = 1_764_000_000_000_000


@st.composite
def rules(draw, kind=None):
    """A rule of any size that is allowed."""
    kind = kind or draw(st.sampled_from(KINDS))
    period = draw(st.one_of(st.integers(1, 50), st.integers(1, 10**7), st.just(10**9 + 7)))
    limit = draw(st.one_of(st.integers(1, 8), st.integers(1, min(10_000, 2**50 // period))))
    paced = kind in KINDS[:2]
    amount = draw(st.integers(1, 1000)) if paced else limit
    wait = draw(st.sampled_from([0, 5, 10**6])) if paced else 0
    return Rule(kind, amount, period, limit, draw(st.integers(1, min(limit, 4))), wait)


PAUSES = st.one_of(st.integers(0, 60), st.integers(0, 3 * 10**7), st.integers(-(10**6), 0))

GRANTS = st.lists(st.tuples(PAUSES, st.integers(1, 10_000), st.floats(0, 1), st.booleans()), max_size=30)


def granting(plain: Rule, cost: int, share: float, granted: tuple[int, int]) -> Rule | None:
    """`plain`, content with less than `cost`, and giving a share of what was granted back; None when that is not exact.

    Args:
        plain: Another rule may have granted it.
        cost: At most; 0 where all but everything is given back.
        share: Of what was granted.
        granted: How much, and when.
    """
    back = int(granted[0] * share)
    most = min(cost, plain.limit) if back == 0 or share < 0.8 else 0
    given_back: dict[str, Any] = {"returned": back, "returned_at_us": granted[1]} if back else {}
    try:
        return replace(plain, cost=most, least=min(1, most), max_wait_us=0, **given_back)
    except ConfigError:
        return None
