"""What must be true of every history, whatever was done to servers, networks and clients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.faults.follower import Follower
from tests.histories.checker import Call, check
from tests.histories.holders import Holding, Write, broken_fences, not_growing, two_holders
from tests.histories.models import Version, versioned
from tests.histories.recorder import History
from tests.histories.shortest import explain

from seawall.engines import Entry, Record

_TOLERANCE_NS = 2_000_000
_MOST_STEPS = 2_000_000


@dataclass
class Final:
    """What there is in the end.

    Attributes:
        entries: By key.
        revision: Of the last change of the namespace.
        records: By stream.
    """

    entries: dict[str, Entry]
    revision: int
    records: dict[str, list[Record]]


def complaints(history: History, final: Final, follower: Follower | None, ttl: float) -> list[str]:
    """Everything that is wrong; empty when all is well."""
    found = [f"raised what it must not: {thing}: {call}" for thing, call in history.broke]
    found += registers(history, final)
    found += counted(history, final)
    found += ghosts(history, final, follower)
    found += appended(history, final)
    found += owners(history, final, ttl)
    found += leaders(history, ttl)
    found += growing(history)
    if follower is not None:
        found += watched(history, final, follower)
    return found


def registers(history: History, final: Final) -> list[str]:
    """Keys and the log are linearizable, with what is there in the end as their last read."""
    found = []
    for thing in ("r0", "r1", "count", "log"):
        calls = history.of(thing)
        if not calls:
            continue
        last = max(call.began if call.is_open else call.ended for call in calls) + 1
        if thing == "log":
            records = final.records["log"]
            seen = {record.data for record in records}
            calls = [*calls, Call(last, last + 1, "at", (), records[-1].position if records else 0, "the end")]
        else:
            entry = final.entries.get(thing)
            told = (None, 0) if entry is None else (entry.value, entry.revision)
            calls = [*calls, Call(last, last + 1, "get", (), told, "the end")]
            seen = {call.result[0] for call in calls if call.name == "get" and not call.is_open}
        if not check(_without_unseen(calls, seen), versioned, Version(), most_steps=_MOST_STEPS) and not check(
            calls, versioned, Version(), most_steps=_MOST_STEPS
        ):
            found.append(f"{thing} is not linearizable: {explain(calls, versioned, Version())}")
    return found


def _without_unseen(calls: list[Call], seen: set[Any]) -> list[Call]:
    """Less to try: a write without an answer whose value nobody saw need not have happened.

    If the rest can be explained, so can all; if not, such a write may still be why.
    """
    return [call for call in calls if not call.is_open or call.name not in ("put", "cas") or call.args[-1] in seen]


def counted(history: History, final: Final) -> list[str]:
    """No update is lost: the counter shows what was acknowledged, and at most what was in doubt besides."""
    swaps = history.of("count", "cas")
    done = sum(not call.is_open and call.result[0] for call in swaps)
    doubtful = sum(call.is_open for call in swaps)
    count = int(final.entries["count"].value.split()[0]) if "count" in final.entries else 0
    if done <= count <= done + doubtful:
        return []
    return [f"the counter shows {count}; {done} additions were acknowledged and {doubtful} in doubt"]


def ghosts(history: History, final: Final, follower: Follower | None) -> list[str]:
    """Nothing that was told not to have happened is ever seen."""
    seen = {entry.value for entry in final.entries.values()}
    seen |= {record.data for records in final.records.values() for record in records}
    seen |= {call.result[0] for calls in history.calls.values() for call in calls if call.name == "get" and call.result}
    seen |= follower.values if follower is not None else set()
    return [
        f"{call.args[-1]!r} was told not to have been written ({call.result}) and is there: {thing}: {call}"
        for thing, call in history.failed
        if call.name in ("put", "cas", "append") and call.args[-1] in seen
    ]


def appended(history: History, final: Final) -> list[str]:
    """Each record that was acknowledged is at its position, once; nothing is there that nobody appended."""
    found = []
    for stream, names in (("log", ("cas", "put")), ("fenced", ("append",))):
        there = {record.data: record.position for record in final.records[stream]}
        if len(there) != len(final.records[stream]):
            found.append(f"records of {stream} are there twice")
        known = set()
        for call in history.of(stream, *names):
            data, position = call.args[-1], None if call.is_open else _position(call)
            if call.is_open or position is not None:
                known.add(data)
            if position is not None and there.get(data) != position:
                found.append(f"{data!r} is at {there.get(data)} of {stream}: {call}")
        found += [f"nobody appended {data!r} to {stream}" for data in there.keys() - known]
    return found


def _position(call: Call) -> int | None:
    if call.name == "put":
        return int(call.result)
    state, position = call.result
    return int(position) if state in (True, "held") else None


def owners(history: History, final: Final, ttl: float) -> list[str]:
    """A stream has one owner at a time, none loses it early, and nobody writes behind the fence."""
    claims = [call for call in history.of("fenced", "claim") if not call.is_open and call.result is not None]
    holdings = {
        call.result: Holding("fenced", call.client, call.result, call.began, call.ended, call.began + ttl * 1e9)
        for call in claims
    }
    uses = history.of("fenced", "append", "renew", "release")
    holdings = _lived(holdings, uses, {"renew"}, {"release"}, ttl)
    place = {record.data: record.position for record in final.records["fenced"]}
    writes = [
        Write("fenced", call.args[0], call.began, place[call.args[1]])
        for call in uses
        if call.name == "append" and call.args[1] in place
    ]
    found = two_holders(holdings.values(), _TOLERANCE_NS)
    return found + broken_fences(list(holdings.values()), writes) + _lost_early(holdings, uses)


def leaders(history: History, ttl: float) -> list[str]:
    """There is one leader at a time, whose revisions are fences; no lease ends early."""
    granted: dict[tuple[Any, Any], Call] = {}
    holdings = {}
    begun: dict[Any, float] = {}
    for call in sorted(history.of("leader"), key=lambda each: each.began):
        if call.name == "grant":
            begun[call.client] = call.began
        elif call.name == "win" and not call.is_open and call.result[0]:
            token, until = call.result[1], begun[call.client] + ttl * 1e9
            holdings[token] = Holding("leader", call.client, token, call.began, call.ended, until)
            granted[call.client, call.args[0]] = call
    uses = history.of("leader", "keep", "revoke")
    holdings = _lived(holdings, uses, {"keep"}, {"revoke"}, ttl)
    return two_holders(holdings.values(), _TOLERANCE_NS) + _lost_early(holdings, uses)


def _lived(
    holdings: dict[int, Holding], uses: list[Call], signs: set[str], ends: set[str], ttl: float
) -> dict[int, Holding]:
    """The holdings with their signs of life, and with their ends, which are possible once they are asked for."""
    for call in uses:
        held = holdings.get(call.args[0])
        if held is None:
            continue
        if call.name in signs and not call.is_open and call.result == "held":
            held = replace(held, until=max(held.until, call.began + ttl * 1e9))
        if call.name in ends:
            held = replace(held, given_up=min(held.given_up, call.began))
        holdings[call.args[0]] = held
    return holdings


def _lost_early(holdings: dict[int, Holding], uses: list[Call]) -> list[str]:
    found = []
    for call in uses:
        held = holdings.get(call.args[0])
        lost = not call.is_open and call.result in ("lost", ("lost", 0))
        if lost and held is not None and call.ended < held.sure_until - _TOLERANCE_NS:
            found.append(f"lost before its time: {held}, and {call}")
    return found


def growing(history: History) -> list[str]:
    """Revisions, positions and tokens grow with time and come once, across all keys of the namespace."""
    changes = []
    for thing in ("r0", "r1", "count"):
        for call in history.of(thing, "put", "cas", "delete"):
            if call.is_open or (call.name != "put" and not call.result[0]):
                continue
            changes.append((call.began, call.ended, call.result if call.name == "put" else call.result[1]))
    wins = history.of("leader", "win")
    changes += [(call.began, call.ended, call.result[1]) for call in wins if not call.is_open and call.result[0]]
    claims = [
        (call.began, call.ended, call.result)
        for call in history.of("fenced", "claim")
        if not call.is_open and call.result is not None
    ]
    found = [f"revisions: {each}" for each in not_growing(changes)]
    return found + [f"tokens: {each}" for each in not_growing(claims)]


def watched(history: History, final: Final, follower: Follower) -> list[str]:
    """Every change is told once and in order, or by a Resync; nothing is told that was not; the end is the truth."""
    found = list(follower.complaints)
    told = {revision: (key, value) for key, value, revision in follower.changes}
    may_be: dict[tuple[str, Any], bool] = {}
    for thing in ("r0", "r1", "count"):
        for call in history.of(thing, "put", "cas", "delete"):
            value = None if call.name == "delete" else call.args[-1]
            if call.is_open:
                may_be[thing, value] = True
            elif call.name == "put" or call.result[0]:
                revision = call.result if call.name == "put" else call.result[1]
                may_be[thing, value] = True
                if told.get(revision) != (thing, value) and not follower.skipped(revision):
                    found.append(f"not told: {thing} at {revision}, {told.get(revision)} instead: {call}")
    found += [
        f"told what nobody did: {key} = {value!r} at {revision}"
        for revision, (key, value) in told.items()
        if key not in {"leader", "the end"} and (key, value) not in may_be
    ]
    if follower.state != {key: e.value for key, e in final.entries.items()}:
        found.append(f"the watch arrives at {follower.state}, there is {final.entries}")
    return found
