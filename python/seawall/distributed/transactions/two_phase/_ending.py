"""The end of one transaction: the coordinator's machine, with a log and participants around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from seawall.distributed.transactions._log import TransactionLog
from seawall.distributed.transactions._owned import Owned
from seawall.distributed.transactions._records import LogEntry, encode
from seawall.distributed.transactions.two_phase._course import Call, Calls, Course, Run
from seawall.distributed.transactions.two_phase._machine import Coordinator, CoordinatorStep, Phase, recovered
from seawall.distributed.transactions.two_phase._messages import (
    COMMITTED,
    Action,
    Force,
    Message,
    Outcome,
    Tell,
    Vote,
)
from seawall.distributed.transactions.two_phase._names import KIND_NAME
from seawall.distributed.transactions.two_phase._participant import Participant, Result
from seawall.errors import SeawallError, UnknownOutcome

_METHODS = {Message.PREPARE: "prepare", Message.COMMIT: "commit", Message.ABORT: "abort"}


class Ending:
    """Takes the actions of one coordinator's machine.

    Args:
        log: Where the decision is written.
        owned: The transaction in it, begun by us or taken over.
        participants: All that take part, by name.

    Attributes:
        causes: What participants raised when they were asked to prepare.
    """

    def __init__(self, log: TransactionLog, owned: Owned, participants: Mapping[str, Participant]) -> None:
        self._log = log
        self._owned = owned
        self._participants = participants
        self._state = Coordinator(tuple(participants))
        self._unreached: set[str] = set()
        self._is_unknown = False
        self.causes: dict[str, Exception] = {}
        self.against: list[str] = []

    @property
    def result(self) -> Result:
        """How it has ended, as far as it has."""
        if self._is_unknown or self._state.phase is Phase.DECIDING:
            return Result(self._owned.key.id, Outcome.IN_DOUBT, tuple(self._participants))
        if self._state.phase in (Phase.COMMITTING, Phase.COMMITTED):
            untold = tuple(name for name in self._participants if name in self._state.waiting)
            return Result(self._owned.key.id, Outcome.COMMITTED, untold)
        untold = tuple(name for name in self._participants if name in self._unreached)
        return Result(self._owned.key.id, Outcome.ABORTED, untold)

    def commit(self) -> Course[Result]:
        """Ask all to prepare, decide, tell all."""
        try:
            yield from self._take(self._state.begin())
        except BaseException:
            # Cancelled: before the decision nothing is bound to it; in the middle of it recovery has to read.
            if self._state.phase is Phase.PREPARING:
                yield from self._take(self._state.abort())
            yield from self._leave()
            raise
        yield from self._leave()
        return self.result

    def resume(self, to_tell: tuple[str, ...] | None) -> Course[Result]:
        """Go on after a crash: `to_tell` from the record of the commit, None when there is none."""
        if to_tell is None:
            yield from self._take(Coordinator(tuple(self._participants)).abort())
        else:
            yield from self._take(recovered(to_tell))
        yield from self._leave()
        return self.result

    def _take(self, step: CoordinatorStep) -> Course[None]:
        self._state = step.state
        todo: deque[Action] = deque(step.actions)
        while todo:
            if isinstance(todo[0], Tell):
                tells = []
                while todo and isinstance(todo[0], Tell):
                    tells.append(todo.popleft())
                todo += yield from self._tell([tell for tell in tells if isinstance(tell, Tell)])
            elif isinstance(action := todo.popleft(), Force):
                done = yield from self._decide(action)
                todo += self._next(self._state.logged(done=done)) if done is not None else ()
            # To forget is to conclude the log, which `_leave` does.

    def _next(self, step: CoordinatorStep) -> tuple[Action, ...]:
        self._state = step.state
        return step.actions

    def _tell(self, tells: list[Tell]) -> Course[list[Action]]:
        calls = tuple(
            Call(self._participants[tell.to], _METHODS[tell.message], (self._owned.key.id,)) for tell in tells
        )
        answers = list(zip(tells, (yield Calls(calls)), strict=True))
        # Who said yes is heard first: an abort is then told to all who must hear it, once.
        answers.sort(key=lambda answer: answer[1] not in (Vote.YES, Vote.READ_ONLY))
        actions: list[Action] = []
        for tell, answer in answers:
            actions += self._heard(tell, answer)
        return actions

    def _heard(self, tell: Tell, answer: object) -> tuple[Action, ...]:
        if tell.message is not Message.PREPARE:
            if not isinstance(answer, Exception):
                self._unreached.discard(tell.to)
                return self._next(self._state.heard(tell.to, Message.ACKNOWLEDGE))
            self._unreached.add(tell.to)
            return ()
        if answer in (Vote.YES, Vote.READ_ONLY):
            return self._next(self._state.heard(tell.to, Message(str(answer))))
        self.against.append(tell.to)
        if answer == Vote.NO:
            return self._next(self._state.heard(tell.to, Message.NO))
        if isinstance(answer, Exception):
            self.causes[tell.to] = answer
        else:
            self.causes[tell.to] = TypeError(f"prepare must return a Vote, got {answer!r}")
        return self._next(self._state.abort())

    def _decide(self, action: Force) -> Course[bool | None]:
        """Whether the commit is in the log; None when that cannot be found out."""
        owned, entry = self._owned, self._log.entry(COMMITTED, to_tell=list(action.to_tell))
        try:
            # Sent once and once only: what refuses it then refuses it for good. A write that tries again may be
            # refused the second time though the first has arrived.
            owned.last = yield Run(
                self._log.journal._do_append(owned.claim.stream, encode(entry), expected=owned.last, claim=owned.claim)
            )
        except UnknownOutcome:
            return (yield from self._find_out())
        except SeawallError as error:
            self.causes.setdefault("log", error)
            return False
        owned.entries.append(entry)
        return True

    def _find_out(self) -> Course[bool | None]:
        # Giving up the claim refuses a record that is still under way: what is read after that stays so.
        try:
            yield Run(self._log._do_let_go(self._owned))
            again = yield Run(self._log._do_own(KIND_NAME, self._owned.key.id))
        except SeawallError as error:
            self.causes.setdefault("log", error)
            again = None
        if again is None:
            self._is_unknown = True
            return None
        if isinstance(again, Owned):
            self._owned = again
        return committed_to(again.entries) is not None

    def _leave(self) -> Course[None]:
        """Conclude in the log what is over; let others take over what is not."""
        phase, untold = self._state.phase, self.result.untold
        try:
            if phase in (Phase.ABORTED, Phase.COMMITTED) and not untold and not self._is_unknown:
                word = "aborted" if phase is Phase.ABORTED else "ended"
                data = {"against": self.against} if self.against else {}
                yield Run(self._log._do_finish(self._owned, self._log.entry(word, **data)))
            else:
                yield Run(self._log._do_let_go(self._owned))
        except SeawallError:
            pass  # the outcome stands; recovery concludes it


def committed_to(entries: list[LogEntry] | tuple[LogEntry, ...]) -> tuple[str, ...] | None:
    """Who must learn of the commit that a log has; None when it has none."""
    for entry in entries:
        if entry.what == COMMITTED:
            return tuple(entry.data["to_tell"])
    return None


def takes_part(entries: list[LogEntry] | tuple[LogEntry, ...]) -> tuple[str, ...]:
    """Who takes part, by the first record."""
    return tuple(entries[0].data["participants"])
