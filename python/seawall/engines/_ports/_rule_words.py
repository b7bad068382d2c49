"""Rules and readings as whole numbers, for engines that decide where the state is."""

from __future__ import annotations

from collections.abc import Sequence

from seawall.engines._ports._rules import KINDS, Reading, Rule

_NUMBER = {kind: number for number, kind in enumerate(KINDS)}


def words_of(rule: Rule) -> tuple[int, ...]:
    """Kind, amount, period, limit, cost, longest wait; then least, returned and when it was granted."""
    return (
        _NUMBER[rule.kind], rule.amount, rule.period_us, rule.limit, rule.cost, rule.max_wait_us,
        rule.least, rule.returned, rule.returned_at_us,
    )  # fmt: skip


def readings_of(rules: tuple[tuple[str, Rule], ...], reply: Sequence[int]) -> tuple[Reading, ...]:
    """Of the engine's time, and for each rule wait, what remains, when to retry, when all is forgotten, the grant."""
    if len(rules) == 1:
        now, wait, remaining, retry, reset, granted = reply
        return (Reading(retry == 0, wait / 1e6, rules[0][1].limit, remaining, retry / 1e6, reset / 1e6, granted, now),)
    return tuple(
        Reading(retry == 0, wait / 1e6, rule.limit, remaining, retry / 1e6, reset / 1e6, granted, reply[0])
        for (_, rule), wait, remaining, retry, reset, granted in zip(
            rules, reply[1::5], reply[2::5], reply[3::5], reply[4::5], reply[5::5], strict=True
        )
    )
