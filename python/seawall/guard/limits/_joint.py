"""One place in several limits: taking all of them or none, and giving them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seawall.errors import RateLimited
from seawall.guard.limits._decision import Decision
from seawall.guard.limits._permit import Permit


class JointPermit:
    """A place in every limit, due now: go, or give all of them back."""

    __slots__ = ("_permits",)

    def __init__(self, permits: Sequence[Permit]) -> None:
        self._permits = tuple(permits)

    @property
    def wait(self) -> float:
        """Seconds until the places are due: 0.0."""
        return max(p.wait for p in self._permits)

    def commit(self) -> None:
        """Keep the places for good."""
        for permit in self._permits:
            permit.commit()

    def cancel(self) -> bool:
        """Give back what may be given back; whether anything was."""
        given_back = [p.cancel() for p in reversed(self._permits)]
        return any(given_back)


Place = Callable[[float], Permit]


def take(places: Sequence[Place]) -> JointPermit:
    """A place of each now, or RateLimited with every one already taken given back."""
    taken: list[Permit] = []
    try:
        for place in places:
            taken.append(place(0.0))
    except BaseException:
        for permit in reversed(taken):
            permit.cancel()
        raise
    return JointPermit(taken)


def refusing_first(places: Sequence[Place], seen: Sequence[Decision]) -> list[Place]:
    """The places in order, after those that will be refused: these count it, and nothing is taken from the others."""
    ranked = sorted(zip(seen, places, strict=True), key=lambda pair: pair[0].admitted)
    return [place for _, place in ranked]


def joined(decisions: Sequence[Decision], name: str) -> Decision:
    """One answer for all: the smallest room, the longest wait."""
    tightest = min(decisions, key=lambda d: (d.admitted, d.remaining))
    return Decision(
        all(d.admitted for d in decisions),
        tightest.limit,
        min(d.remaining for d in decisions),
        max(d.retry_after for d in decisions),
        max(d.reset_after for d in decisions),
        name if tightest.admitted else tightest.name,
        tightest.key,
    )


def admission(after: Sequence[Decision], name: str) -> Decision:
    """The answer to a call that was admitted, from what is seen after it."""
    return joined(after, name)._replace(admitted=True, retry_after=0.0, name=name)


def refusal(after: Sequence[Decision], refused: RateLimited) -> Decision:
    """The answer to a call that was refused, from what is seen after it, though it might pass by now."""
    seen = joined(after, "")
    if not seen.admitted:
        return seen
    return seen._replace(admitted=False, retry_after=refused.retry_after or 0.0, name=str(refused.policy))
