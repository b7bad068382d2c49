"""What a vector clock remembers of entries it has lost: see docs/decisions/0015."""

from __future__ import annotations

from hashlib import blake2b

MARK, DIGEST = 16, 12
MOST_HEADS, MOST_MARKS = 8, 16

Pruned = tuple[int, bytes, int]
"""How many heads, the marks (heads first), the highest count that was pruned."""


def add(pruned: Pruned, gone: list[tuple[str, int, int]]) -> Pruned:
    """After taking `gone` away: one head that stands for it and for all heads before."""
    heads, rest = _split(pruned)
    facts = b"".join(b"%d %d %s" % (len(node.encode()), count, node.encode()) for node, count, _ in gone)
    return _packed({_mark(heads, facts)}, heads | rest, max(pruned[2], *(count for _, count, _ in gone)))


def union(one: Pruned, two: Pruned) -> Pruned:
    """After merging: the heads of both, without those that the other side has pruned on from."""
    if one == two:
        return one
    (heads_one, rest_one), (heads_two, rest_two) = _split(one), _split(two)
    heads = (heads_one - rest_two) | (heads_two - rest_one)
    rest = (heads_one | heads_two | rest_one | rest_two) - heads
    if len(heads) > MOST_HEADS:
        heads, rest = {_mark(heads, b"")}, heads | rest
    return _packed(heads, rest, max(one[2], two[2]))


def _split(pruned: Pruned) -> tuple[set[bytes], set[bytes]]:
    count, marks, _ = pruned
    each = [marks[i : i + MARK] for i in range(0, len(marks), MARK)]
    return set(each[:count]), set(each[count:])


def _mark(heads: set[bytes], facts: bytes) -> bytes:
    # The generation comes first, so that the marks that sort last are those a relative is likeliest to have.
    generation = 1 + max((int.from_bytes(head[: MARK - DIGEST], "big") for head in heads), default=0)
    digest = blake2b(b"".join(sorted(heads)) + facts, digest_size=DIGEST, person=b"seawall-vector").digest()
    return min(generation, 0xFFFFFFFF).to_bytes(MARK - DIGEST, "big") + digest


def _packed(heads: set[bytes], rest: set[bytes], most: int) -> Pruned:
    # The newest of the rest: what is forgotten here only makes comparisons say "concurrent".
    newest = sorted(rest - heads)[-(MOST_MARKS - len(heads)) :]
    return len(heads), b"".join([*sorted(heads), *newest]), most
