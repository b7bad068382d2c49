"""Limits in keys of their own, which the server forgets when they are full again."""

from __future__ import annotations

from typing import Any

from seawall.engines._ports import Meter, Reading, Rule
from seawall.engines._ports._rules import KINDS
from seawall.engines.operation import Op, Send
from seawall.engines.redis._call import Call, load

_UPDATE = load("meter.lua")
_NUMBER = {kind: number for number, kind in enumerate(KINDS)}


class RedisMeter(Meter):
    """The port over one namespace of a server."""

    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        reply = yield Send(Call(arguments(self.namespace, rules, consume), _UPDATE), again=not consume)
        return readings(rules, reply)

    def _reset(self, key: str) -> Op[bool]:
        return bool((yield Send(Call(("DEL", _key(self.namespace, key))))))


def _key(namespace: str, key: str) -> str:
    return f"seawall:{{{namespace}}}:limit:{key}"


def arguments(namespace: str, rules: tuple[tuple[str, Rule], ...], consume: bool) -> tuple[Any, ...]:
    """Keys and arguments of the script."""
    more = any(rule.least or rule.returned for _, rule in rules)
    words: list[Any] = [len(rules), *(_key(namespace, key) for key, _ in rules), int(consume), 9 if more else 6]
    for _, rule in rules:
        words += _NUMBER[rule.kind], rule.amount, rule.period_us, rule.limit, rule.cost, rule.max_wait_us
        if more:
            words += rule.least, rule.returned, rule.returned_at_us
    return tuple(words)


def readings(rules: tuple[tuple[str, Rule], ...], reply: list[int]) -> tuple[Reading, ...]:
    """What the script said."""
    if len(rules) == 1:
        now, wait, remaining, retry, reset, granted = reply
        return (Reading(retry == 0, wait / 1e6, rules[0][1].limit, remaining, retry / 1e6, reset / 1e6, granted, now),)
    return tuple(
        Reading(retry == 0, wait / 1e6, rule.limit, remaining, retry / 1e6, reset / 1e6, granted, reply[0])
        for (_, rule), wait, remaining, retry, reset, granted in zip(
            rules, reply[1::5], reply[2::5], reply[3::5], reply[4::5], reply[5::5], strict=True
        )
    )
