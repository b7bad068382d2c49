"""Two-phase commit: the laws of atomic commitment, in every world or in many."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles import two_phase as model

from seawall.distributed.transactions.two_phase._machine import Coordinator, CoordinatorStep, Member, MemberStep, Phase
from seawall.distributed.transactions.two_phase._messages import Force, Message, Vote

YES, NO, READ = Vote.YES, Vote.NO, Vote.READ_ONLY


@pytest.mark.parametrize("votes", [(YES, YES), (YES, READ), (YES, NO), (READ, READ), (READ, NO), (NO, NO)])
def test_two_participants_agree_in_every_world(votes: tuple[Vote, ...]) -> None:
    """Whatever is lost, repeated or crashes: no mixed outcome, no decision changed, and an end can still be reached."""
    search = model.Search(model.start(votes))
    assert search.stuck() == 0
    assert len(search.worlds) > 500


class Hasty(Coordinator):
    """Tells the participants to commit before the record is on disk."""

    def heard(self, sender: str, message: Message) -> CoordinatorStep:
        step = super().heard(sender, message)
        return step.state.logged(done=True) if step.state.phase is Phase.DECIDING else step


class Light(Member):
    """Votes yes without a record."""

    def asked(self, vote: Vote) -> MemberStep:
        step = super().asked(vote)
        return MemberStep(step.state, tuple(action for action in step.actions if not isinstance(action, Force)))


class Moody(Member):
    """Undoes what is prepared when nothing comes for a while."""

    def timed_out(self) -> MemberStep:
        return self.told(Message.ABORT)


@pytest.mark.parametrize(("coordinator", "member"), [(Hasty, Member), (Coordinator, Light), (Coordinator, Moody)])
def test_the_search_finds_faults(coordinator: type[Coordinator], member: type[Member]) -> None:
    """A machine that saves a record or its patience is found out."""
    with pytest.raises(AssertionError, match=r"mixed outcome|undid|undone"):
        model.Search(model.start((YES, YES), coordinator, member))


@settings(max_examples=60)
@given(st.lists(st.sampled_from(Vote), min_size=1, max_size=5), st.integers(0, 2**32))
def test_more_participants_agree_in_many_worlds(votes: list[Vote], seed: int) -> None:
    """A long walk of accidents with up to five participants breaks no law."""
    chance = random.Random(seed)
    world = model.start(tuple(votes))
    for _ in range(100):
        _, world = chance.choice(tuple(model.all_moves(world)))
        model.check(world.hosts)


@settings(max_examples=30)
@given(st.lists(st.sampled_from((YES, READ)), min_size=1, max_size=5))
def test_without_accidents_everybody_commits(votes: list[Vote]) -> None:
    """All vote yes or read_only and nothing fails: the outcome is a commit, and nothing is left to remember."""
    world = model.start(tuple(votes))
    heard: set[str] = set()
    while True:
        calm = {
            what: after
            for what, after in model.all_moves(world)
            if "crashes" not in what and "vain" not in what and not ("hears" in what and what in heard)
        }
        if not calm:
            break
        what, world = next(iter(calm.items()))
        heard.add(what)
    assert model.is_settled(world.hosts)
    assert [host.part for host in world.hosts[1:]] == ["done" if vote is YES else "read" for vote in votes]
