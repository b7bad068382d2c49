"""Consistent hashing, slow and obvious, after docs/reference/stable-hash.md."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

MASK = 2**64 - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


def rotated(word: int, by: int) -> int:
    """64 bits, turned to the left."""
    return (word << by | word >> (64 - by)) & MASK


def xxh64(data: bytes, seed: int = 0) -> int:
    """XXH64 after its specification."""

    def mixed(total: int, lane: int) -> int:
        return rotated((total + lane * P2) & MASK, 31) * P1 & MASK

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], "little")

    at = 0
    if len(data) >= 32:
        sums = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while at + 32 <= len(data):
            sums = [mixed(one, number(at + 8 * lane, 8)) for lane, one in enumerate(sums)]
            at += 32
        total = sum(rotated(one, by) for one, by in zip(sums, (1, 7, 12, 18), strict=True)) & MASK
        for one in sums:
            total = ((total ^ mixed(0, one)) * P1 + P4) & MASK
    else:
        total = (seed + P5) & MASK
    total = (total + len(data)) & MASK
    while at + 8 <= len(data):
        total = (rotated(total ^ mixed(0, number(at, 8)), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= len(data):
        total = (rotated(total ^ (number(at, 4) * P1 & MASK), 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        total = rotated(total ^ (byte * P5 & MASK), 11) * P1 & MASK
    total = (total ^ total >> 33) * P2 & MASK
    total = (total ^ total >> 29) * P3 & MASK
    return total ^ total >> 32


def stable_hash(key: str | bytes | int) -> int:
    """The hash of a key."""
    if isinstance(key, int):
        return xxh64((key & MASK).to_bytes(8, "little"))
    return xxh64(key.encode() if isinstance(key, str) else key)


def jump(key: str | bytes | int, buckets: int) -> int:
    """Figure 1 of the paper."""
    word, bucket, ahead = stable_hash(key), -1, 0
    while ahead < buckets:
        bucket = ahead
        word = (word * 2862933555777941757 + 1) & MASK
        ahead = int((bucket + 1) * (float(1 << 31) / float((word >> 33) + 1)))
    return bucket


def ring_points(weights: Mapping[str, float], vnodes: int) -> list[tuple[int, str]]:
    """All points and whose they are."""
    return sorted(
        (xxh64(name.encode(), number), name)
        for name, weight in weights.items()
        for number in range(1, max(1, math.floor(vnodes * weight + 0.5)) + 1)
    )


def ring_order(points: list[tuple[int, str]], key: str | bytes | int) -> list[str]:
    """All nodes, in the order in which they are met from a key on."""
    place = stable_hash(key)
    start = next((i for i, (at, _) in enumerate(points) if at > place), 0)
    return list(dict.fromkeys(name for _, name in points[start:] + points[:start]))


def draw(word: int) -> float:
    """-ln of the place of a hash in (0, 1), step by step."""
    share = ((word >> 12) + 0.5) * 2.0**-52
    part, power = math.frexp(share)
    part, power = part * 2, power - 1
    if part > 1.4142135623730951:
        part, power = part * 0.5, power + 1
    s = (part - 1.0) / (part + 1.0)
    t, total = s * s, 1.0 / 21.0
    for odd in range(19, 0, -2):
        total = total * t + 1.0 / odd
    return -(power * 0.6931471805599453 + 2.0 * s * total)


def rendezvous_order(weights: Mapping[str, float], key: str | bytes | int) -> list[str]:
    """All nodes, the best first."""
    word = stable_hash(key).to_bytes(8, "little")
    hashes = {name: xxh64(word, stable_hash(name)) for name in weights}
    if len(set(weights.values())) == 1:
        return sorted(weights, key=lambda name: (-hashes[name], name))
    return sorted(weights, key=lambda name: (draw(hashes[name]) / weights[name], name))


def maglev_table(weights: Mapping[str, float], slots: int) -> list[str]:
    """The paper's loop, each round earning each node its share of a turn."""
    names, heaviest = sorted(weights), max(weights.values())
    table: dict[int, str] = {}
    earned, turn = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
    while True:
        for name in names:
            earned[name] += weights[name] / heaviest
            if earned[name] < 1:
                continue
            earned[name] -= 1
            offset, skip = xxh64(name.encode(), 1) % slots, xxh64(name.encode(), 2) % (slots - 1) + 1
            while (at := (offset + turn[name] * skip) % slots) in table:
                turn[name] += 1
            table[at] = name
            if len(table) == slots:
                return [table[slot] for slot in range(slots)]


def in_turn(order: Iterable[str], zones: Mapping[str, str | None], n: int) -> tuple[str, ...]:
    """The first of each zone, then the second of each, and so on."""
    held: dict[str, int] = {}
    ranked = []
    for place, name in enumerate(order):
        zone = zones[name] or f"alone {name}"
        ranked.append((held.get(zone, 0), place, name))
        held[zone] = held.get(zone, 0) + 1
    return tuple(name for _, _, name in sorted(ranked)[:n])
