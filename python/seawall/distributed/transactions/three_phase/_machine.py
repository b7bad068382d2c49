"""Three-phase commit, for study: pure machines of the coordinator and of a participant that may take its place.

Between the votes and the commit all are told that all have voted yes. Whoever has not heard that knows that nobody can
have committed; so those who are left can decide without the dead. That holds while silence means death, and fails
where a network may be cut.

Source: Skeen 1981, "Nonblocking Commit Protocols"; its termination protocol with a backup coordinator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple


class Say(StrEnum):
    """One word of the protocol; STATE_... answer ASK_STATE."""

    CAN_COMMIT = "can_commit"
    YES = "yes"
    NO = "no"
    PRE_COMMIT = "pre_commit"
    ACKNOWLEDGE = "acknowledge"
    DO_COMMIT = "do_commit"
    ABORT = "abort"
    ASK_STATE = "ask_state"
    STATE_WORKING = "state_working"
    STATE_READY = "state_ready"
    STATE_PRECOMMITTED = "state_precommitted"
    STATE_COMMITTED = "state_committed"
    STATE_ABORTED = "state_aborted"


class State(StrEnum):
    """Where a site stands."""

    WORKING = "working"
    READY = "ready"
    PRECOMMITTED = "precommitted"
    COMMITTED = "committed"
    ABORTED = "aborted"

    @property
    def is_final(self) -> bool:
        """Nothing changes it any more."""
        return self in (State.COMMITTED, State.ABORTED)


COORDINATOR = "coordinator"
Letters = tuple[tuple[str, Say], ...]
"""To whom, and what."""


class Role(StrEnum):
    """What a site is doing besides waiting."""

    NONE = "none"
    VOTES = "votes"
    STATES = "states"
    ACKNOWLEDGEMENTS = "acknowledgements"


@dataclass(frozen=True, slots=True)
class Site:
    """The coordinator, or a participant, of one transaction; for study.

    Args:
        name: `COORDINATOR`, or a participant's; of several backups the first by name leads.
        others: The participants, without itself.
        vote: What it answers.
        state: Where it stands.
        role: What it collects as the coordinator, or as a backup.
        waiting: From whom.
        states: What a backup was answered.
        leader: Whom it takes a PRE_COMMIT from.
    """

    name: str
    others: tuple[str, ...]
    vote: bool = True
    state: State = State.WORKING
    role: Role = Role.NONE
    waiting: frozenset[str] = frozenset()
    states: frozenset[tuple[str, State]] = frozenset()
    leader: str = COORDINATOR

    def begin(self) -> Step:
        """The coordinator's first step."""
        asking = replace(self, state=State.READY, role=Role.VOTES, waiting=frozenset(self.others))
        return Step(asking, _to(self.others, Say.CAN_COMMIT))

    def heard(self, sender: str, say: Say) -> Step:  # noqa: PLR0911 -- one for each word
        """A message has come."""
        if say is Say.ASK_STATE:
            return self._asked(sender)
        if self.state.is_final:
            return Step(self)
        match say:
            case Say.DO_COMMIT | Say.ABORT:
                return self._end(State.COMMITTED if say is Say.DO_COMMIT else State.ABORTED)
            case Say.CAN_COMMIT if self.state is State.WORKING:
                return self._voted(sender)
            case Say.PRE_COMMIT if sender == self.leader:
                return Step(replace(self, state=State.PRECOMMITTED), ((sender, Say.ACKNOWLEDGE),))
            case Say.NO if self.role is Role.VOTES:
                return self._end(State.ABORTED, self.others)
        return self._collected(sender, say)

    def _voted(self, sender: str) -> Step:
        if not self.vote:
            return Step(replace(self, state=State.ABORTED), ((sender, Say.NO),))
        return Step(replace(self, state=State.READY), ((sender, Say.YES),))

    def _collected(self, sender: str, say: Say) -> Step:
        wanted = {Role.VOTES: say is Say.YES, Role.ACKNOWLEDGEMENTS: say is Say.ACKNOWLEDGE}
        if self.role is Role.STATES and say.startswith("state_"):
            state = State(say.removeprefix("state_"))
            heard = replace(self, waiting=self.waiting - {sender}, states=self.states | {(sender, state)})
        elif wanted.get(self.role) and sender in self.waiting:
            heard = replace(self, waiting=self.waiting - {sender})
        else:
            return Step(self)
        return Step(heard) if heard.waiting else heard._complete()

    def _complete(self) -> Step:
        """All have answered, or will not any more."""
        if self.role is Role.VOTES:
            return self._precommit(self.others)
        if self.role is Role.ACKNOWLEDGEMENTS:
            return self._end(State.COMMITTED, self.others)
        return self._terminate()

    def _precommit(self, names: tuple[str, ...]) -> Step:
        told = replace(self, state=State.PRECOMMITTED, role=Role.ACKNOWLEDGEMENTS, waiting=frozenset(names))
        return Step(told, _to(names, Say.PRE_COMMIT)) if names else told._complete()

    def _terminate(self) -> Step:
        """The rule of the termination protocol, on what those who are left have answered."""
        known = {self.state, *(state for _, state in self.states)}
        if State.COMMITTED in known:
            return self._end(State.COMMITTED, self.others)
        if known & {State.ABORTED, State.WORKING} or State.PRECOMMITTED not in known:
            return self._end(State.ABORTED, self.others)
        return self._precommit(tuple(sorted(name for name, state in self.states if state is State.READY)))

    def timed_out(self) -> Step:
        """Nothing has come for a while: to this protocol that means that whoever should have answered is dead."""
        if self.state.is_final:
            return Step(self)
        if self.role is Role.VOTES or self.state is State.WORKING:
            return self._end(State.ABORTED, self.others if self.role is Role.VOTES else ())
        if self.role is not Role.NONE:
            return replace(self, waiting=frozenset())._complete()
        leads = replace(self, role=Role.STATES, leader=self.name, waiting=frozenset(self.others), states=frozenset())
        return Step(leads, _to(self.others, Say.ASK_STATE)) if self.others else leads._complete()

    def _asked(self, sender: str) -> Step:
        answer = ((sender, Say(f"state_{self.state}")),)
        if self.state.is_final or (self.leader != COORDINATOR and self.leader < sender):
            return Step(self, answer)
        return Step(replace(self, leader=sender, role=Role.NONE), answer)

    def _end(self, state: State, told: Iterable[str] = ()) -> Step:
        word = Say.DO_COMMIT if state is State.COMMITTED else Say.ABORT
        return Step(replace(self, state=state, role=Role.NONE), _to(told, word))


class Step(NamedTuple):
    """The next state, and what to send."""

    site: Site
    letters: Letters = ()


def _to(names: Iterable[str], say: Say) -> Letters:
    return tuple((name, say) for name in names)
