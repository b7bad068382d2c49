"""What the numbers of one pattern say, in a sentence, whichever variant they favour."""

from __future__ import annotations

from dataclasses import dataclass

# One short run each: what differs by less is called alike.
_ALIKE = 0.10


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a verdict rests on.

    Args:
        sent: Requests.
        succeeded: Of them, answered well.
        refused: Of them, quickly told to come back later.
        failed: Of them, ended badly otherwise, most of them after waiting in vain.
        p99: Of the successes, in seconds; None where there was none.
    """

    sent: int
    succeeded: int
    refused: int
    failed: int
    p99: float | None


def verdict(plain: Numbers, guarded: Numbers) -> str:
    """The verdict in a sentence."""
    if not plain.succeeded and not guarded.succeeded:
        return "neither answered anything"
    told = [f"with guards {_many(plain, guarded)}{_fast(plain, guarded)}"]
    if guarded.refused or guarded.failed:
        told.append(
            f"{guarded.refused / guarded.sent:.0%} were refused at once, {guarded.failed / guarded.sent:.0%} failed"
        )
    told.append(f"without, {plain.failed / plain.sent:.0%} failed")
    return "; ".join(told)


def _many(plain: Numbers, guarded: Numbers) -> str:
    if not plain.succeeded:
        return f"{guarded.succeeded:,} requests succeeded, without them none"
    change = guarded.succeeded / plain.succeeded - 1
    if abs(change) < _ALIKE:
        return "about as many requests succeeded"
    if change >= 1:
        return f"{change + 1:.1f} times as many requests succeeded"
    return f"{abs(change):.0%} {'more' if change > 0 else 'fewer'} requests succeeded"


def _fast(plain: Numbers, guarded: Numbers) -> str:
    if plain.p99 is None or guarded.p99 is None:
        return ""
    change = guarded.p99 / plain.p99 - 1
    if abs(change) < _ALIKE:
        return ", about as fast"
    words = f"P99 {guarded.p99 * 1e3:,.0f} ms instead of {plain.p99 * 1e3:,.0f} ms"
    return f", {'faster' if change < 0 else 'more slowly'}: {words}"
