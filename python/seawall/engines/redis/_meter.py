"""Limits in keys of their own, which the server forgets when they are full again."""

from __future__ import annotations

from typing import Any

from seawall.engines._ports import Meter, Reading, Rule
from seawall.engines._ports._rule_words import readings_of, words_of
from seawall.engines.operation import Op, Send
from seawall.engines.redis._call import Call, load

_UPDATE = load("meter.lua")


class RedisMeter(Meter):
    """The port over one namespace of a server."""

    def _update(self, rules: tuple[tuple[str, Rule], ...], consume: bool) -> Op[tuple[Reading, ...]]:
        reply = yield Send(Call(arguments(self.namespace, rules, consume), _UPDATE), again=not consume)
        return readings_of(rules, reply)

    def _reset(self, key: str) -> Op[bool]:
        return bool((yield Send(Call(("DEL", _key(self.namespace, key))))))


def _key(namespace: str, key: str) -> str:
    return f"seawall:{{{namespace}}}:limit:{key}"


def arguments(namespace: str, rules: tuple[tuple[str, Rule], ...], consume: bool) -> tuple[Any, ...]:
    """Keys and arguments of the script."""
    width = 9 if any(rule.least or rule.returned for _, rule in rules) else 6
    words: list[Any] = [len(rules), *(_key(namespace, key) for key, _ in rules), int(consume), width]
    for _, rule in rules:
        words += words_of(rule)[:width]
    return tuple(words)
