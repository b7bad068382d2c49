"""Participants with a log of their own, and those in other processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.two_phase_part import Part

from seawall.clock import ManualClock
from seawall.distributed.transactions import TransactionLog
from seawall.distributed.transactions.two_phase import (
    LoggedParticipant,
    Outcome,
    RemoteParticipant,
    TwoPhaseCommit,
    Vote,
    answer,
    answer_async,
)
from seawall.engines import Engine, open_engine
from seawall.errors import (
    ConfigError,
    TransactionAborted,
    TransactionBusy,
    TransactionError,
)


@pytest.fixture
def clock() -> ManualClock:
    """What leases go by."""
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[Engine]:
    """Where logs are."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


def test_a_logged_participant_votes_once_and_ends_once(engine):
    """Repeated messages give the same answers and reach the store once."""
    store = Part("store")
    part = LoggedParticipant("part", store, TransactionLog(engine))
    assert (part.prepare("t"), part.prepare("t")) == (Vote.YES, Vote.YES)
    assert [doubt.why for doubt in part.in_doubt()] == ["prepared"]
    part.commit("t")
    part.commit("t")
    part.abort("t")
    assert part.prepare("t") is Vote.NO
    assert store.told == ["prepare", "commit"]
    part.abort("u")
    assert store.told == ["prepare", "commit", "abort"]


def test_a_logged_participant_that_could_not_end_is_told_again(engine):
    """The commit is in its log; a store that failed is asked again, now or in recovery."""
    store = Part("store", commit=OSError("full"))
    part = LoggedParticipant("part", store, TransactionLog(engine))
    part.prepare("t")
    with pytest.raises(OSError, match="full"):
        part.commit("t")
    assert part.recover(lambda _: Outcome.IN_DOUBT).in_doubt[0].why == "full"
    store.fails.clear()
    assert part.recover(lambda _: Outcome.IN_DOUBT).committed == ("t",)
    assert part.in_doubt() == ()


def test_a_logged_participant_asks_about_what_it_has_voted_on(engine, clock):
    """Undecided stays; what it has not voted on it undoes by itself; who is at it is left alone."""
    store = Part("store")
    log = TransactionLog(engine)
    part = LoggedParticipant("part", store, log)
    part.prepare("t")
    log.begin("2pc_member", "part/u", log.entry("begun"))
    with pytest.raises(
        TransactionBusy, match="another call of participant 'part' is at transaction 'u'; tell it again"
    ):
        part.commit("u")
    clock.advance(31)
    with pytest.raises(TransactionError, match="was told to commit transaction 'u' but it has not voted; see"):
        part.commit("u")
    asked = []
    found = part.recover(lambda transaction: asked.append(transaction) or Outcome.IN_DOUBT)
    assert (asked, found.aborted, [doubt.id for doubt in found.in_doubt]) == (["t"], ("u",), ["t"])
    assert part.recover(lambda _: 1 / 0).in_doubt[0].why == "division by zero"
    assert part.recover(lambda _: Outcome.ABORTED).aborted == ("t",)
    with pytest.raises(TransactionError, match="was told to commit transaction 't' but it has undone its part"):
        part.commit("t")


async def test_a_logged_participant_serves_tasks(engine):
    """The twins do the same; the coordinator may be asked by a coroutine."""
    store = Part("store")
    part = LoggedParticipant("part", store, TransactionLog(engine))
    shop = TwoPhaseCommit(TransactionLog(engine), [part])
    async with shop.transaction() as tx:
        await tx.enlist_async(part)
    assert store.told == ["prepare", "commit"]
    assert await part.prepare_async("late") is Vote.YES
    assert [doubt.id for doubt in await part.in_doubt_async()] == ["late"]

    async def ask(transaction: str) -> Outcome:
        return Outcome.ABORTED

    assert (await part.recover_async(ask)).aborted == ("late",)


def test_a_remote_participant_speaks_json(engine):
    """Requests and answers go through JSON; an error there is an error here."""
    store = Part("store")
    part = LoggedParticipant("part", store, TransactionLog(engine))

    def send(request: dict[str, Any]) -> Any:
        return json.loads(json.dumps(answer(part, json.loads(json.dumps(request)))))

    remote = RemoteParticipant("part", send)
    shop = TwoPhaseCommit(TransactionLog(engine), [remote])
    with shop.transaction() as tx:
        tx.enlist(remote)
    assert store.told == ["prepare", "commit"]
    store.fails["prepare"] = ValueError("no room")
    with (
        pytest.raises(TransactionAborted, match=r"\(participant 'part': ValueError: no room\)"),
        shop.transaction() as tx,
    ):
        tx.enlist("part")
    assert answer(part, {"do": "drop"}) == {"error": "not a request to 'part': {'do': 'drop'}"}


async def test_a_remote_participant_speaks_json_for_tasks(engine):
    """With send_async alone, it serves tasks alone."""
    store = Part("store")
    part = LoggedParticipant("part", store, TransactionLog(engine))

    async def send(request: dict[str, Any]) -> Any:
        return await answer_async(part, request)

    remote = RemoteParticipant("part", send_async=send)
    shop = TwoPhaseCommit(TransactionLog(engine), [remote])
    async with shop.transaction() as tx:
        await tx.enlist_async(remote)
    assert store.told == ["prepare", "commit"]
    with pytest.raises(ConfigError, match="participant 'part' has no send, only send_async; use `async with`"):
        remote.commit("t")
    with pytest.raises(ConfigError, match="participant 'x' needs send or send_async"):
        RemoteParticipant("x")
