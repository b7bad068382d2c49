"""Two-phase commit with presumed abort: pure machines, which send nothing, log nothing and know no time.

A step gives the next state and the actions to take, in this order: an action is taken only when all before it are done.
What is not in the log did not commit; so an abort is neither logged nor acknowledged, and a coordinator may forget it.

Source: Mohan, Lindsay 1983, "Efficient Commit Protocols for the Tree of Processes Model of Distributed Transactions";
Mohan, Lindsay, Obermarck 1986, section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from seawall.distributed.transactions.two_phase._messages import (
    COMMITTED,
    COORDINATOR,
    PREPARED,
    Action,
    Finish,
    Force,
    Forget,
    Message,
    Tell,
    Vote,
)

M = Message


class Phase(StrEnum):
    """Where a coordinator stands."""

    IDLE = "idle"
    PREPARING = "preparing"
    DECIDING = "deciding"
    COMMITTING = "committing"
    ABORTED = "aborted"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True)
class Coordinator:
    """One transaction of a coordinator.

    Args:
        participants: All of them.
        phase: Where it stands. A coordinator that has forgotten, or never knew, is ABORTED: that is the presumption.
        waiting: Whose vote or acknowledgement is awaited.
        yes: Who has voted yes and so must be told.
        done: Who has voted no or read_only and so need not be told.
    """

    participants: tuple[str, ...]
    phase: Phase = Phase.IDLE
    waiting: frozenset[str] = frozenset()
    yes: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()

    def begin(self) -> CoordinatorStep:
        """Ask everybody to prepare."""
        asked = replace(self, phase=Phase.PREPARING, waiting=frozenset(self.participants))
        return CoordinatorStep(asked, tuple(Tell(name, M.PREPARE) for name in self.participants))

    def heard(self, sender: str, message: Message) -> CoordinatorStep:
        """A participant's message has come, perhaps late and perhaps again."""
        match self.phase, message:
            case Phase.PREPARING, (M.YES | M.NO | M.READ_ONLY) if sender in self.waiting:
                return self._voted(sender, message)
            case Phase.COMMITTING, M.ACKNOWLEDGE:
                return self._acknowledged(sender)
            case Phase.COMMITTING, (M.YES | M.ASK) if sender in self.waiting:
                return CoordinatorStep(self, (Tell(sender, M.COMMIT),))
            case ((Phase.ABORTED | Phase.COMMITTED), (M.YES | M.ASK)):
                # Whoever still asks after the end of a commit has acknowledged it, and heeds no abort.
                return CoordinatorStep(self, (Tell(sender, M.ABORT),))
        return CoordinatorStep(self)

    def _voted(self, sender: str, message: Message) -> CoordinatorStep:
        waiting, yes, done = self.waiting - {sender}, self.yes, self.done
        if message is M.YES:
            yes = yes | {sender}
        else:
            done = done | {sender}
        heard = replace(self, waiting=waiting, yes=yes, done=done)
        if message is M.NO:
            return heard.abort()
        if waiting:
            return CoordinatorStep(heard)
        if not yes:
            return CoordinatorStep(replace(heard, phase=Phase.COMMITTED))
        return CoordinatorStep(replace(heard, phase=Phase.DECIDING), (Force(COMMITTED, heard._ordered(yes)),))

    def abort(self) -> CoordinatorStep:
        """Give up what is not decided: a vote of no, a time that is over, the caller's wish. Changes no decision."""
        if self.phase not in (Phase.IDLE, Phase.PREPARING):
            return CoordinatorStep(self)
        told = self._ordered(frozenset(self.participants) - self.done)
        ended = replace(self, phase=Phase.ABORTED, waiting=frozenset())
        return CoordinatorStep(ended, tuple(Tell(name, M.ABORT) for name in told))

    def logged(self, *, done: bool) -> CoordinatorStep:
        """The record of the commit is on disk, or is surely not and never will be."""
        if self.phase is not Phase.DECIDING:
            return CoordinatorStep(self)
        if not done:
            return replace(self, phase=Phase.PREPARING).abort()
        decided = replace(self, phase=Phase.COMMITTING, waiting=self.yes)
        return CoordinatorStep(decided, tuple(Tell(name, M.COMMIT) for name in self._ordered(self.yes)))

    def timed_out(self) -> CoordinatorStep:
        """Nothing has come for a while."""
        if self.phase is Phase.PREPARING:
            return self.abort()
        if self.phase is Phase.COMMITTING:
            return CoordinatorStep(self, tuple(Tell(name, M.COMMIT) for name in self._ordered(self.waiting)))
        return CoordinatorStep(self)

    def _acknowledged(self, sender: str) -> CoordinatorStep:
        waiting = self.waiting - {sender}
        if waiting or sender not in self.waiting:
            return CoordinatorStep(replace(self, waiting=waiting))
        return CoordinatorStep(replace(self, phase=Phase.COMMITTED, waiting=waiting), (Forget(),))

    def _ordered(self, names: frozenset[str]) -> tuple[str, ...]:
        return tuple(name for name in self.participants if name in names)


class CoordinatorStep(NamedTuple):
    """The next state, and what to do."""

    state: Coordinator
    actions: tuple[Action, ...] = ()


def recovered(to_tell: tuple[str, ...] | None) -> CoordinatorStep:
    """A coordinator after a crash, from its log: who must learn of a commit; None when there is no record."""
    if to_tell is None:
        return CoordinatorStep(Coordinator((), Phase.ABORTED))
    names = frozenset(to_tell)
    state = Coordinator(to_tell, Phase.COMMITTING, names, names)
    return CoordinatorStep(state, state.timed_out().actions)


class Standing(StrEnum):
    """Where a participant stands; FORGOTTEN is also where it stands that never knew of the transaction."""

    WORKING = "working"
    PREPARED = "prepared"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Member:
    """One transaction of a participant."""

    standing: Standing = Standing.WORKING

    def asked(self, vote: Vote) -> MemberStep:
        """It is asked to prepare, and would answer `vote` if it still works on the transaction."""
        match self.standing, vote:
            case Standing.WORKING, Vote.YES:
                return MemberStep(
                    replace(self, standing=Standing.PREPARED), (Force(PREPARED), Tell(COORDINATOR, M.YES))
                )
            case Standing.WORKING, Vote.READ_ONLY:
                return MemberStep(replace(self, standing=Standing.FORGOTTEN), (Tell(COORDINATOR, M.READ_ONLY),))
            case Standing.WORKING, _:
                return MemberStep(
                    replace(self, standing=Standing.FORGOTTEN), (Finish(commit=False), Tell(COORDINATOR, M.NO))
                )
            case Standing.PREPARED, _:
                return MemberStep(self, (Tell(COORDINATOR, M.YES),))
        return MemberStep(self, (Tell(COORDINATOR, M.NO),))

    def told(self, message: Message) -> MemberStep:
        """It is told how the transaction ends."""
        match self.standing, message:
            case Standing.PREPARED, M.COMMIT:
                actions = Force(COMMITTED), Finish(commit=True), Forget(), Tell(COORDINATOR, M.ACKNOWLEDGE)
                return MemberStep(replace(self, standing=Standing.FORGOTTEN), actions)
            case Standing.FORGOTTEN, M.COMMIT:
                # Only who voted yes is told to commit; it has, and its acknowledgement was lost.
                return MemberStep(self, (Tell(COORDINATOR, M.ACKNOWLEDGE),))
            case ((Standing.PREPARED | Standing.WORKING), M.ABORT):
                return MemberStep(replace(self, standing=Standing.FORGOTTEN), (Finish(commit=False), Forget()))
        return MemberStep(self)

    def timed_out(self) -> MemberStep:
        """Nothing has come for a while: give up what is not bound yet, ask about what is."""
        if self.standing is Standing.WORKING:
            return MemberStep(replace(self, standing=Standing.FORGOTTEN))
        if self.standing is Standing.PREPARED:
            return MemberStep(self, (Tell(COORDINATOR, M.ASK),))
        return MemberStep(self)


class MemberStep(NamedTuple):
    """The next state, and what to do."""

    state: Member
    actions: tuple[Action, ...] = ()


def member_recovered(last_record: str | None) -> MemberStep:
    """A participant after a crash, from the last record in its log; work that was not prepared is gone."""
    if last_record == PREPARED:
        return MemberStep(Member(Standing.PREPARED), (Tell(COORDINATOR, M.ASK),))
    if last_record == COMMITTED:
        return MemberStep(Member(Standing.FORGOTTEN), (Finish(commit=True), Forget()))
    return MemberStep(Member(Standing.FORGOTTEN))
